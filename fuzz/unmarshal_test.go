package fuzz_test

import (
	"bytes"
	"errors"
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/etf"
)

// fields has fields of the kinds that Unmarshal tells apart, under names as
// short as the ones that a fuzzer comes upon.
type fields struct {
	A  bool              `etf:"a"`
	B  int8              `etf:"b"`
	C  uint16            `etf:"c,omitempty"`
	D  int64             `etf:"d,binary"`
	E  uint64            `etf:"e,omitzero"`
	F  float32           `etf:"f"`
	G  float64           `etf:"g"`
	H  string            `etf:"h"`
	I  string            `etf:"i,atom"`
	J  string            `etf:"j,charlist"`
	K  []byte            `etf:"k"`
	L  [2]byte           `etf:"l"`
	M  []int             `etf:"m"`
	N  [2]any            `etf:"n"`
	O  map[string]any    `etf:"o"`
	P  map[int64]float64 `etf:"p"`
	Q  *big.Int          `etf:"q"`
	R  time.Time         `etf:"r"`
	S  time.Time         `etf:"s,unixmilli"`
	T  etf.Term          `etf:"t"`
	U  etf.Raw           `etf:"u"`
	V  any               `etf:"v"`
	W  *fields           `etf:"w"`
	X  record            `etf:"x"`
	Y  []record          `etf:"y"`
	Z  etf.PidValue      `etf:"z"`
	N2 *native           `etf:"n2"`
	embedded
}

type native struct {
	_    struct{}        `etf:"m:r,record"`
	A    any             `etf:"a"`
	B    etf.RecordValue `etf:"b"`
	Next *native         `etf:"c"`
}

type record struct {
	_    struct{} `etf:"r,tuple"`
	Name string
	Next *record
}

type embedded struct {
	Ref  *etf.RefValue
	Text map[record]etf.ExportValue
}

// targets are where FuzzUnmarshal puts every input.
var targets = []func() any{
	func() any { return new(any) },
	func() any { return new(fields) },
	func() any { return new([]fields) },
	func() any { return new(map[string]fields) },
	func() any { return new(map[any]any) },
	func() any { return new(record) },
	func() any { return new(native) },
	func() any { return new(etf.RecordValue) },
	func() any { return new(string) },
	func() any { return new([]byte) },
	func() any { return new([]string) },
	func() any { return new(int) },
	func() any { return new(uint8) },
	func() any { return new(float64) },
	func() any { return new(big.Int) },
	func() any { return new(etf.Term) },
	func() any { return new(etf.Raw) },
	func() any { return new(time.Time) },
}

// FuzzUnmarshal unmarshals any bytes into Go values of many types: nothing
// panics, what is no term is refused as by Valid, and what fits marshals as a
// term that unmarshals and marshals as itself.
func FuzzUnmarshal(f *testing.F) {
	addTerms(f)
	for _, v := range []any{
		fields{H: "h", O: map[string]any{"k": []any{int64(1), "x", nil, 1.5}}, Q: big.NewInt(7), T: etf.Atom("t"), V: map[string]any{}},
		[]fields{{}, {W: &fields{M: []int{1, 2}}}}, record{Name: "a", Next: &record{}},
		map[string]fields{"": {Y: []record{{Name: "b"}}}}, native{A: "a", Next: &native{}}, fields{N2: &native{}},
		time.UnixMilli(1763884800000),
	} {
		b, err := etf.Marshal(v)
		require.NoError(f, err)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		before := bytes.Clone(b)
		invalid := etf.Valid(b)
		for _, target := range targets {
			v := target()
			err := etf.Unmarshal(b, v)
			require.Equal(t, before, b, "unmarshaling has changed its input")
			if invalid != nil {
				require.EqualError(t, err, invalid.Error(), "%T", v)
				require.Equal(t, target(), v, "something was filled in")
				continue
			}
			if err != nil {
				var ue *etf.UnmarshalError
				require.ErrorAs(t, err, &ue, "%T", v)
				require.NotEmpty(t, ue.Error())
				continue
			}
			requireStable(t, v, target)
		}
	})
}

// requireStable checks that a value marshals, and that what comes of it is the
// same again after another round.
func requireStable(t *testing.T, v any, target func() any) {
	options := etf.EncodeOptions{Deterministic: true}
	once, err := options.Marshal(v)
	if err != nil {
		// Two keys of a Go map that are one in Erlang, and what is deeper as a value
		// than the term was, or a year that RFC 3339 has no form for.
		var me *etf.MarshalError
		require.ErrorAs(t, err, &me, "%T", v)
		require.True(t, errors.Is(err, etf.ErrLimit) || errors.Is(err, etf.ErrDuplicateKey) || errors.Is(err, etf.ErrAtom), "%T: %v", v, err)
		return
	}
	require.NoError(t, etf.Valid(once), "%T", v)
	again := target()
	require.NoError(t, etf.Unmarshal(once, again), "%T: %q", v, once)
	twice, err := options.Marshal(again)
	require.NoError(t, err)
	require.Equal(t, once, twice, "%T", v)
}
