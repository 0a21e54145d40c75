package etfjson_test

import (
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/etf/etfjson"
)

// allocated returns how many bytes a call of f allocates, over many calls.
func allocated(f func()) uint64 {
	const calls = 4
	f()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range calls {
		f()
	}
	runtime.ReadMemStats(&after)
	return (after.TotalAlloc - before.TotalAlloc) / calls
}

func TestNoAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("sync.Pool drops objects at random under the race detector")
	}
	for name, text := range map[string][]byte{
		"event":      event(),
		"records":    records(1 << 20),
		"numbers":    []byte(`[1,-2,300,123456789012345678901234567890,-1.5,1e100,0.1]`),
		"escapes":    []byte(`{"a\n":"b\tc\u00e9\ud83d\ude00"}`),
		"duplicates": []byte(`{"a":1,"b":{"c":1,"c":2},"a":2,"b":3}`),
		"wide":       []byte(wideObject(1000)),
	} {
		term, err := etfjson.AppendTerm(nil, text)
		require.NoError(t, err)
		back, err := etfjson.AppendJSON(nil, term)
		require.NoError(t, err)
		// Replaced members are in the output for a time.
		term = make([]byte, 0, 2*cap(term))
		assert.Zero(t, testing.AllocsPerRun(50, func() {
			term, err = etfjson.AppendTerm(term[:0], text)
		}), "%s to a term", name)
		require.NoError(t, err)
		assert.Zero(t, testing.AllocsPerRun(50, func() {
			back, err = etfjson.AppendJSON(back[:0], term)
		}), "%s to JSON", name)
		require.NoError(t, err)
	}
}

// TestSixMegabytes converts an event as large as Lambda has them: what is
// allocated besides the result is next to nothing, and the result of a call that
// has to grow it is a small multiple.
func TestSixMegabytes(t *testing.T) {
	text := records(6 << 20)
	term, err := etfjson.AppendTerm(nil, text)
	require.NoError(t, err)
	back, err := etfjson.AppendJSON(nil, term)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		convert func(dst []byte)
		size    int
	}{
		"to a term": {func(dst []byte) { _, _ = etfjson.AppendTerm(dst, text) }, len(term)},
		"to JSON":   {func(dst []byte) { _, _ = etfjson.AppendJSON(dst, term) }, len(back)},
	} {
		room := make([]byte, 0, c.size+64)
		assert.Less(t, allocated(func() { c.convert(room) }), uint64(64<<10), "%s, with room", name)
		assert.Less(t, allocated(func() { c.convert(nil) }), uint64(8*c.size), "%s, without", name)
	}
}

func wideObject(n int) string {
	var b strings.Builder
	b.WriteByte('{')
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`"` + strconv.FormatInt(int64(i), 36) + `":0`)
	}
	b.WriteByte('}')
	return b.String()
}

// The input of either direction may be chosen to need as much memory as can be:
// all that is allocated in the course of a conversion, garbage included, stays
// below 64 times its size.
func TestMemoryIsBounded(t *testing.T) {
	const size = 1 << 20
	fill := func(before, each, after string) []byte {
		return []byte(before + strings.TrimSuffix(strings.Repeat(each, size/len(each)), ",") + after)
	}
	for name, text := range map[string][]byte{
		"names":        []byte(wideObject(size / 8)),
		"same name":    fill("{", `"":0,`, "}"),
		"arrays":       fill("[", "[],", "]"),
		"objects":      fill("[", "{},", "]"),
		"strings":      fill("[", `"",`, "]"),
		"floats":       fill("[", "1e1,", "]"),
		"bytes":        fill("[", "1,", "]"),
		"escapes":      fill(`"`, `\n`, `"`),
		"long numbers": fill("[", strings.Repeat("7", 1024)+",", "]"),
		"deep names":   []byte(strings.Repeat(`{"a":0,"a":`, 500) + `"` + strings.Repeat("x", size) + `"` + strings.Repeat("}", 500)),
		"wide, deep":   []byte(strings.Repeat(strings.TrimSuffix(wideObject(100), "}")+`,"zz":`, 500) + "0" + strings.Repeat("}", 500)),
		"error path":   []byte(strings.Repeat(`{"`+strings.Repeat("k", 2000)+`":`, 500) + "!"),
	} {
		used := allocated(func() { _, _ = etfjson.AppendTerm(nil, text) })
		assert.Less(t, used, uint64(64*len(text)+64<<10), "%s to a term, %d bytes", name, len(text))
		term, err := etfjson.AppendTerm(nil, text)
		if name == "error path" {
			require.Error(t, err)
			continue
		}
		require.NoError(t, err)
		used = allocated(func() { _, _ = etfjson.AppendJSON(nil, term) })
		assert.Less(t, used, uint64(64*len(term)+64<<10), "%s to JSON, %d bytes", name, len(term))
	}
}

// Conversions share memory by way of pools; they must not share it at a time.
func TestConcurrentUse(t *testing.T) {
	var group sync.WaitGroup
	for _, text := range [][]byte{event(), []byte(wideObject(200)), []byte(`{"a":1,"a":{"b":[1,2],"b":3}}`), []byte(`[1,{"a":`)} {
		want, wantErr := etfjson.AppendTerm(nil, text)
		for range 4 {
			group.Go(func() {
				var term, back, again []byte
				for range 50 {
					var err error
					term, err = etfjson.AppendTerm(term[:0], text)
					if wantErr != nil {
						assert.EqualError(t, err, wantErr.Error())
						continue
					}
					assert.NoError(t, err)
					assert.Equal(t, want, term)
					back, err = etfjson.AppendJSON(back[:0], term)
					assert.NoError(t, err)
					again, err = etfjson.AppendTerm(again[:0], back)
					assert.NoError(t, err)
					assert.Equal(t, want, again)
				}
			})
		}
	}
	group.Wait()
}
