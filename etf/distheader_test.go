package etf_test

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/internal/cases"
	"github.com/beamport/beamport/internal/termgen"
)

// regSend is the control message of a message to a registered process.
func regSend(to string) etf.Term {
	return etf.Tuple(etf.Int(6), etf.Pid(etf.PidValue{Node: "go@host", ID: 1, Creation: 7}), etf.Atom(""), etf.Atom(to))
}

// TestDistHeadersByHand has headers worked out by hand from erl_ext_dist.
func TestDistHeadersByHand(t *testing.T) {
	var d etf.DistDecoder
	for _, step := range []struct {
		name             string
		packet           []byte
		control, payload string
	}{
		{"no atoms", cases.Join(131, 68, 0, 104, 1, 97, 1), "{1}", ""},
		{
			// Three references: the flags take two bytes, and LongAtoms is the upper half
			// of the second. The first is slot 5 of segment 1, the second 200 of segment 0.
			"an odd number", cases.Join(131, 68, 3, 0x89, 0x0F, 5, 2, "ok", 200, 2, "é", 255, 0, 104, 4, 97, 6, 82, 0, 82, 1, 82, 2),
			"{6,ok,é,''}", "",
		},
		{
			// Two, from the cache: the flags take two bytes too, of which the second
			// has nothing but LongAtoms.
			"an even number", cases.Join(131, 68, 2, 0x10, 0x00, 200, 5, 104, 2, 82, 1, 82, 0, 108, cases.U32(1), 82, 0, 106),
			"{ok,é}", "[é]",
		},
		{
			"long atoms", cases.Join(131, 68, 1, 0x18, 200, 0, 3, "new", 104, 1, 82, 0),
			"{new}", "",
		},
		{
			"a name of 300 bytes", cases.Join(131, 68, 2, 0xF8, 0x01, 201, 1, 44, strings.Repeat("λ", 150), 0, 0, 1, "z", 104, 2, 82, 0, 82, 1),
			"{'" + strings.Repeat("λ", 150) + "',z}", "",
		},
		{"a slot anew", cases.Join(131, 68, 2, 0x10, 0x00, 200, 5, 104, 2, 82, 0, 82, 1), "{new,ok}", ""},
		{"atoms in full", cases.Join(131, 68, 1, 0x00, 200, 104, 3, 119, 1, "a", 82, 0, 100, 0, 1, 0xE9), "{a,new,é}", ""},
	} {
		m, complete, err := d.Decode(step.packet)
		require.NoError(t, err, step.name)
		require.True(t, complete)
		require.Equal(t, step.control, m.Control.String(), step.name)
		if step.payload == "" {
			require.Equal(t, etf.Invalid, m.Payload.Kind())
		} else {
			require.Equal(t, step.payload, m.Payload.String())
		}
	}
}

// TestCachedAtomsStandWhereverAtomsDo puts references into all terms that have
// atoms in them.
func TestCachedAtomsStandWhereverAtomsDo(t *testing.T) {
	packet := cases.Join(131, 68, 2, 0x88, 0x00, 1, 3, "n@h", 2, 1, "m", 104, 8,
		88, 82, 0, cases.U32(1), cases.U32(2), cases.U32(3),
		89, 82, 0, cases.U32(1), cases.U32(3),
		90, 0, 1, 82, 0, cases.U32(3), cases.U32(9),
		103, 82, 0, cases.U32(1), cases.U32(2), 3,
		113, 82, 1, 119, 1, "f", 97, 2,
		112, cases.U32(60), 1, make([]byte, 16), cases.U32(5), cases.U32(1), 82, 1, 97, 1, 97, 2, 103, 82, 0, cases.U32(1), cases.U32(2), 3, 104, 1, 119, 9, "abcdefghi",
		116, cases.U32(2), 82, 0, 82, 1, 104, 1, 82, 1, 106,
		82, 1,
	)
	var d etf.DistDecoder
	m, _, err := d.Decode(packet)
	require.NoError(t, err)
	pid := etf.PidValue{Node: "n@h", ID: 1, Serial: 2, Creation: 3}
	require.True(t, etf.Equal(m.Control, etf.Tuple(
		etf.Pid(pid),
		etf.Port(etf.PortValue{Node: "n@h", ID: 1, Creation: 3}),
		etf.Ref(etf.RefValue{Node: "n@h", Creation: 3, Words: []uint32{9}}),
		etf.Pid(pid),
		etf.Export(etf.ExportValue{Module: "m", Function: "f", Arity: 2}),
		etf.Fun(etf.FunValue{Module: "m", Index: 5, Arity: 1, OldIndex: 1, OldUniq: 2, Creator: pid, Free: []etf.Term{etf.Tuple(etf.Atom("abcdefghi"))}}),
		etf.Map(etf.Pair{Key: etf.Atom("n@h"), Value: etf.Atom("m")}, etf.Pair{Key: etf.Tuple(etf.Atom("m")), Value: etf.List()}),
		etf.Atom("m"),
	)), "%s", m.Control)
	fun, _ := m.Control.At(5).Fun()
	require.Equal(t, pid, fun.Creator)
}

func TestCachedAtomsAreKeys(t *testing.T) {
	head := cases.Join(131, 68, 2, 0x88, 0x00, 1, 1, "a", 2, 1, "b")
	for name, keys := range map[string][]byte{
		"the same reference":      cases.Join(116, cases.U32(2), 82, 0, 106, 82, 0, 106),
		"a reference and an atom": cases.Join(116, cases.U32(2), 82, 1, 106, 119, 1, "b", 106),
		"and in latin1":           cases.Join(116, cases.U32(2), 100, 0, 1, "b", 106, 82, 1, 106),
		"within containers":       cases.Join(116, cases.U32(2), 104, 1, 82, 1, 106, 104, 1, 119, 1, "b", 106),
		"within identifiers":      cases.Join(116, cases.U32(2), 113, 82, 1, 82, 0, 97, 1, 106, 113, 119, 1, "b", 82, 0, 97, 1, 106),
	} {
		var d etf.DistDecoder
		_, complete, err := d.Decode(slices.Concat(head, keys))
		require.ErrorIs(t, err, etf.ErrDuplicateKey, name)
		require.False(t, complete)
	}
	var d etf.DistDecoder
	m, _, err := d.Decode(slices.Concat(head, cases.Join(116, cases.U32(2), 82, 0, 106, 82, 1, 106)))
	require.NoError(t, err)
	require.Equal(t, 2, m.Control.Len())
}

func TestBadPackets(t *testing.T) {
	first := cases.Join(131, 69, cases.U32(0), cases.U32(1), cases.U32(0))
	for _, test := range []struct {
		name   string
		packet []byte
		err    string
		is     error
	}{
		{"nothing", nil, "etf: unexpected EOF at byte 0", io.ErrUnexpectedEOF},
		{"a version", cases.Join(131), "etf: unexpected EOF at byte 1", io.ErrUnexpectedEOF},
		{"no version", cases.Join(112), "etf: no version byte 131 at byte 0", etf.ErrVersion},
		{"pass through", cases.Join(112, 131, 104, 0), "etf: no version byte 131 at byte 0", etf.ErrVersion},
		{"a term", cases.Join(131, 104, 0), "etf: tag 104 (SMALL_TUPLE_EXT), which starts no term here at byte 1", etf.ErrTag},
		{"no count", cases.Join(131, 68), "unexpected EOF at byte 2", io.ErrUnexpectedEOF},
		{"no flags", cases.Join(131, 68, 4, 0, 0), "unexpected EOF at byte 5", io.ErrUnexpectedEOF},
		{"no references", cases.Join(131, 68, 1, 8), "unexpected EOF at byte 4", io.ErrUnexpectedEOF},
		{"no length", cases.Join(131, 68, 1, 8, 5), "unexpected EOF at byte 5", io.ErrUnexpectedEOF},
		{"half a length", cases.Join(131, 68, 1, 0x18, 5, 0), "unexpected EOF at byte 6", io.ErrUnexpectedEOF},
		{"no text", cases.Join(131, 68, 1, 8, 5, 3, "ab"), "unexpected EOF at byte 8", io.ErrUnexpectedEOF},
		{"no UTF-8", cases.Join(131, 68, 1, 8, 5, 1, 0xFF), "etf: atom that is not UTF-8 of at most 255 characters at byte 4", etf.ErrAtom},
		{"too long", cases.Join(131, 68, 1, 0x18, 5, 1, 0, strings.Repeat("a", 256)), "atom", etf.ErrAtom},
		{"not cached", cases.Join(131, 68, 1, 0, 5, 106), "etf: reference to an atom that has not been cached at byte 4", etf.ErrCacheRef},
		{"no term", cases.Join(131, 68, 0), "unexpected EOF at byte 3", io.ErrUnexpectedEOF},
		{"no such reference", cases.Join(131, 68, 1, 8, 5, 1, "a", 104, 1, 82, 1), "not been cached at byte 9, in {0}", etf.ErrCacheRef},
		{"no reference at all", cases.Join(131, 68, 0, 82, 0), "not been cached at byte 3", etf.ErrCacheRef},
		{"half a reference", cases.Join(131, 68, 1, 8, 5, 1, "a", 82), "unexpected EOF at byte 8", io.ErrUnexpectedEOF},
		{"in the payload", cases.Join(131, 68, 0, 104, 0, 104, 1, 82, 0), "not been cached at byte 7, in {0}", etf.ErrCacheRef},
		{"a third term", cases.Join(131, 68, 0, 104, 0, 106, 106), "etf: bytes after the term at byte 6", etf.ErrTrailing},
		{"compressed", cases.Join(131, 68, 0, 80, make([]byte, 20)), "tag 80 (COMPRESSED)", etf.ErrTag},
		{"a version within", cases.Join(131, 68, 0, 131, 104, 0), "unknown tag 131", etf.ErrTag},
		{"half a fragment", cases.Join(131, 69, 0, 0), "unexpected EOF at byte 4", io.ErrUnexpectedEOF},
		{"half of another", cases.Join(131, 70, 0, 0), "unexpected EOF at byte 4", io.ErrUnexpectedEOF},
		{"a fragment without a header", cases.Join(first, cases.U32(2)), "unexpected EOF at byte 18", io.ErrUnexpectedEOF},
		{"fragment 0", cases.Join(first, cases.U32(0), 0, 106), "etf: fragment out of its sequence at byte 2", etf.ErrFragment},
		{"one that nothing started", cases.Join(131, 70, make([]byte, 16), 106), "etf: fragment out of its sequence at byte 2", etf.ErrFragment},
	} {
		t.Run(test.name, func(t *testing.T) {
			var d etf.DistDecoder
			m, complete, err := d.Decode(test.packet)
			require.ErrorIs(t, err, test.is)
			assert.ErrorContains(t, err, test.err)
			var syntax *etf.SyntaxError
			require.ErrorAs(t, err, &syntax)
			require.False(t, complete)
			require.Equal(t, etf.DistMessage{}.Control.Kind(), m.Control.Kind())
		})
	}
}

func TestDistOptions(t *testing.T) {
	packet := cases.Join(131, 68, 0, 104, 1, 104, 1, 106)
	for _, d := range []*etf.DistDecoder{
		{Options: etf.DecodeOptions{Strict: true}}, {Options: etf.DecodeOptions{NoVersion: true}}, {MaxSequences: -1},
		{MaxFragmented: -1}, {Options: etf.DecodeOptions{MaxDepth: -1}},
	} {
		_, _, err := d.Decode(packet)
		require.ErrorIs(t, err, etf.ErrOptions)
	}
	_, _, err := (&etf.DistDecoder{Options: etf.DecodeOptions{MaxDepth: 1}}).Decode(packet)
	require.ErrorIs(t, err, etf.ErrLimit)

	for _, o := range []etf.EncodeOptions{{MaxDepth: -1}, {Compression: 1}, {MinorVersion: 1}, {NoVersion: true}} {
		dst, err := (&etf.DistEncoder{Options: o}).Append([]byte("kept"), etf.DistMessage{Control: regSend("x")})
		require.ErrorIs(t, err, etf.ErrOptions)
		require.Equal(t, "kept", string(dst))
		_, err = (&etf.DistEncoder{Options: o}).Fragments(etf.DistMessage{Control: regSend("x")}, 1, 1)
		require.ErrorIs(t, err, etf.ErrOptions)
	}
	_, err = new(etf.DistEncoder).Fragments(etf.DistMessage{Control: regSend("x")}, 1, 0)
	require.ErrorIs(t, err, etf.ErrOptions)
	_, err = new(etf.DistEncoder).Fragments(etf.DistMessage{Control: regSend("x")}, 0, 100)
	require.ErrorIs(t, err, etf.ErrOptions)
}

func TestAtomsGoOverOnce(t *testing.T) {
	var e etf.DistEncoder
	var d etf.DistDecoder
	m := etf.DistMessage{Control: regSend("server"), Payload: etf.Tuple(etf.Atom("hello"), etf.Atom("hello"), etf.Atom("世界"))}
	first, err := e.Append(nil, m)
	require.NoError(t, err)
	require.Equal(t, 1, bytes.Count(first, []byte("hello")))
	second, err := e.Append([]byte("before"), m)
	require.NoError(t, err)
	require.Equal(t, "before", string(second[:6]))
	for _, name := range []string{"go@host", "hello", "server", "世界"} {
		require.True(t, bytes.Contains(first, []byte(name)))
		require.False(t, bytes.Contains(second, []byte(name)))
	}
	for _, packet := range [][]byte{first, second[6:]} {
		got, complete, err := d.Decode(packet)
		require.NoError(t, err)
		require.True(t, complete)
		require.True(t, etf.Equal(m.Control, got.Control))
		require.True(t, etf.Equal(m.Payload, got.Payload))
		clear(packet) // the terms have copies
		require.Equal(t, `{hello,hello,'世界'}`, got.Payload.String())
	}
	_, _, err = new(etf.DistDecoder).Decode(second[6:])
	require.Error(t, err, "another connection's cache")
}

// TestManyAtoms has more atoms than a header and than a cache can hold.
func TestManyAtoms(t *testing.T) {
	var e etf.DistEncoder
	var d etf.DistDecoder
	for round := range 20 {
		var atoms []etf.Term
		for i := range 400 {
			atoms = append(atoms, etf.Atom(fmt.Sprint("atom", (i*7+round*150)%5000)), etf.Atom(strings.Repeat("é", i%200)))
		}
		m := etf.DistMessage{Control: etf.Tuple(atoms[:10]...), Payload: etf.List(atoms...)}
		packet, err := e.Append(nil, m)
		require.NoError(t, err)
		require.Equal(t, byte(255), packet[2])
		got, _, err := d.Decode(packet)
		require.NoError(t, err)
		require.True(t, etf.Equal(m.Control, got.Control))
		require.True(t, etf.Equal(m.Payload, got.Payload))
	}
}

func TestDistEncodeErrorsLeaveTheCache(t *testing.T) {
	var e etf.DistEncoder
	var d etf.DistDecoder
	for _, bad := range []etf.DistMessage{
		{}, {Control: etf.Tuple(etf.Atom("new"), etf.Term{})}, {Control: etf.Tuple(etf.Atom("newer")), Payload: etf.Atom("\xFF")},
	} {
		dst, err := e.Append([]byte("kept"), bad)
		var encode *etf.EncodeError
		require.ErrorAs(t, err, &encode)
		require.Equal(t, "kept", string(dst))
	}
	m := etf.DistMessage{Control: etf.Tuple(etf.Atom("new"), etf.Atom("newer"))}
	packet, err := e.Append(nil, m)
	require.NoError(t, err)
	got, _, err := d.Decode(packet)
	require.NoError(t, err)
	require.True(t, etf.Equal(m.Control, got.Control))
}

// TestRefusedMessagesLeaveTheCache goes on after a message whose header is good.
func TestRefusedMessagesLeaveTheCache(t *testing.T) {
	var d etf.DistDecoder
	_, _, err := d.Decode(cases.Join(131, 68, 1, 8, 5, 1, "a", 104, 1, 255))
	require.ErrorIs(t, err, etf.ErrTag)
	m, _, err := d.Decode(cases.Join(131, 68, 1, 0, 5, 104, 1, 82, 0))
	require.NoError(t, err)
	require.Equal(t, "{a}", m.Control.String())
}

func TestDistRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var d etf.DistDecoder
		e := etf.DistEncoder{Options: etf.EncodeOptions{Deterministic: rapid.Bool().Draw(t, "deterministic")}}
		var want []etf.DistMessage     // in the order of their last packets
		var under [][][]byte           // packets still to go
		var messages []etf.DistMessage // whose packets under has
		deliver := func(i int) {
			got, complete, err := d.Decode(under[i][0])
			require.NoError(t, err)
			under[i] = under[i][1:]
			require.Equal(t, len(under[i]) == 0, complete)
			if complete {
				want = append(want, messages[i])
				require.True(t, etf.Equal(messages[i].Control, got.Control))
				require.True(t, etf.Equal(messages[i].Payload, got.Payload))
				under, messages = slices.Delete(under, i, i+1), slices.Delete(messages, i, i+1)
			}
		}
		for n := range rapid.IntRange(1, 6).Draw(t, "messages") {
			m := etf.DistMessage{Control: termgen.Term().Draw(t, "control")}
			if rapid.Bool().Draw(t, "payload?") {
				m.Payload = termgen.Term().Draw(t, "payload")
			}
			packets, err := e.Fragments(m, uint64(n+1), rapid.IntRange(1, 60).Draw(t, "size"))
			require.NoError(t, err)
			under, messages = append(under, packets), append(messages, m)
			deliver(len(under) - 1) // headers come in their order
			for len(under) > 0 && rapid.Bool().Draw(t, "another?") {
				deliver(rapid.IntRange(0, len(under)-1).Draw(t, "which"))
			}
		}
		require.Len(t, d.Incomplete(), len(under))
		for len(under) > 0 {
			deliver(rapid.IntRange(0, len(under)-1).Draw(t, "which"))
		}
		require.Empty(t, d.Incomplete())
	})
}

// TestDamagedPackets feeds a decoder what is not quite right.
func TestDamagedPackets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var e etf.DistEncoder
		var d etf.DistDecoder
		for range rapid.IntRange(1, 4).Draw(t, "messages") {
			m := etf.DistMessage{Control: regSend("x"), Payload: termgen.Term().Draw(t, "payload")}
			packets, err := e.Fragments(m, 1, rapid.IntRange(8, 60).Draw(t, "size"))
			require.NoError(t, err)
			for _, packet := range packets {
				if rapid.Bool().Draw(t, "damage") {
					packet[rapid.IntRange(0, len(packet)-1).Draw(t, "at")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
				}
				packet = packet[:len(packet)-rapid.SampledFrom([]int{0, 0, 0, 1, 2, 9}).Draw(t, "cut")%len(packet)]
				m, complete, err := d.Decode(packet)
				require.False(t, complete && err != nil)
				require.Equal(t, complete, m.Control.Kind() != etf.Invalid)
				if complete {
					_, err := etf.Encode(etf.Tuple(m.Control))
					require.NoError(t, err)
				}
			}
		}
	})
}
