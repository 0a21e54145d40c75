package etf_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/internal/cases"
)

// fragment is one by hand: of a sequence, with a number, which is a first one
// if tag is 69.
func fragment(tag, sequence, number int, parts ...any) []byte {
	return cases.Join(131, tag, cases.U32(0), cases.U32(sequence), cases.U32(0), cases.U32(number), cases.Join(parts...))
}

func TestFragmentsByHand(t *testing.T) {
	var d etf.DistDecoder
	for i, packet := range [][]byte{
		fragment(69, 7, 3, 1, 0x08, 5, 2, "ok", 104, 1, 82, 0, 109, 0),
		fragment(69, 8, 2, 1, 0x08, 5, 2, "no", 104, 1, 82, 0), // takes the slot, not the reference
		fragment(70, 7, 2, 0, 0, 4, "ab"),
		cases.Join(131, 68, 1, 0, 5, 104, 1, 82, 0),
		fragment(70, 8, 1, 82, 0),
		fragment(70, 7, 1, "cd"),
		fragment(69, 7, 1, 0, 104, 0),
	} {
		m, complete, err := d.Decode(packet)
		require.NoError(t, err)
		require.Equal(t, i > 2, complete)
		switch i {
		case 1:
			require.Equal(t, []uint64{7, 8}, d.Incomplete())
		case 3:
			require.Equal(t, "{no}", m.Control.String())
		case 4:
			require.Equal(t, "{no} no", m.Control.String()+" "+m.Payload.String())
		case 5:
			require.Equal(t, `{ok} <<"abcd">>`, m.Control.String()+" "+m.Payload.String())
		case 6:
			require.Equal(t, `{}`, m.Control.String())
		}
	}
	require.Empty(t, d.Incomplete())
}

func TestFragmentsOutOfSequence(t *testing.T) {
	var d etf.DistDecoder
	start := func() {
		_, complete, err := d.Decode(fragment(69, 1, 3, 0, 104, 0))
		require.NoError(t, err)
		require.False(t, complete)
		require.Equal(t, []uint64{1}, d.Incomplete())
	}
	for name, packet := range map[string][]byte{
		"one is missing":  fragment(70, 1, 1, 106),
		"one comes again": fragment(70, 1, 3, 106),
		"number 0":        fragment(70, 1, 0, 106),
	} {
		start()
		_, _, err := d.Decode(packet)
		require.ErrorIs(t, err, etf.ErrFragment, name)
		require.ErrorContains(t, err, "at byte 10")
		require.Empty(t, d.Incomplete(), "the sequence is given up")
	}
	start()
	_, _, err := d.Decode(fragment(69, 1, 2, 0, 104, 0))
	require.ErrorIs(t, err, etf.ErrFragment, "it is under way")
	require.Equal(t, []uint64{1}, d.Incomplete())
	d.Forget(2)
	d.Forget(1)
	require.Empty(t, d.Incomplete())
	start()

	// The last fragment does not make a term of them.
	_, _, err = d.Decode(fragment(70, 1, 2, 104, 1))
	require.NoError(t, err)
	_, complete, err := d.Decode(fragment(70, 1, 1, 255))
	require.ErrorIs(t, err, etf.ErrTag)
	require.ErrorContains(t, err, "at byte 4, in {0}", "in the message that they make")
	require.False(t, complete)
	require.Empty(t, d.Incomplete())
}

func TestFragmentLimits(t *testing.T) {
	d := etf.DistDecoder{MaxSequences: 2, MaxFragmented: 1000}
	var limit *etf.LimitError
	for i := range 2 {
		_, _, err := d.Decode(fragment(69, i, 9, 0, 104, 0))
		require.NoError(t, err)
	}
	_, _, err := d.Decode(fragment(69, 3, 9, 0, 104, 0))
	require.ErrorAs(t, err, &limit)
	require.Equal(t, etf.LimitError{Limit: "MaxSequences", Max: 2}, *limit)
	_, _, err = d.Decode(fragment(69, 3, 1, 0, 104, 0))
	require.NoError(t, err, "it needs no other")

	_, _, err = d.Decode(fragment(70, 1, 8, make([]byte, 1000-2*64-4)))
	require.NoError(t, err, "just as much as is allowed")
	_, _, err = d.Decode(fragment(70, 1, 7, 0))
	require.ErrorAs(t, err, &limit)
	require.Equal(t, etf.LimitError{Limit: "MaxFragmented", Max: 1000}, *limit)
	require.Equal(t, []uint64{0}, d.Incomplete())
	_, _, err = d.Decode(fragment(70, 0, 8, make([]byte, 1000-64-2)))
	require.NoError(t, err, "what was given up counts no more")
	_, _, err = d.Decode(fragment(69, 3, 2, 0, 104, 0))
	require.ErrorIs(t, err, etf.ErrLimit)
	require.Equal(t, []uint64{0}, d.Incomplete())
	d.Forget(0)
	for i := range 100 {
		_, _, err = d.Decode(fragment(69, i, 2, 0, 104, 0, make([]byte, 800)))
		require.NoError(t, err)
		d.Forget(uint64(i))
	}
}

// TestFragmentsClaimNothing starts sequences that say they have 2^64-1 fragments.
func TestFragmentsClaimNothing(t *testing.T) {
	packet := fragment(69, 1, 0, 0, 104, 0)
	copy(packet[10:18], bytes.Repeat([]byte{255}, 8))
	var d etf.DistDecoder
	requireAllocates(t, 4096, func() {
		_, complete, err := d.Decode(packet)
		if err != nil || complete {
			t.Error(err)
		}
		d.Forget(1)
	})
}

func TestFragmentSizes(t *testing.T) {
	m := etf.DistMessage{Control: regSend("x"), Payload: etf.String(strings.Repeat("a", 1000-5))}
	for size, want := range map[int]int{1: 1000, 999: 2, 1000: 1, 100: 10, 300: 4} {
		var e etf.DistEncoder
		packets, err := e.Fragments(m, 9, size)
		require.NoError(t, err)
		require.Len(t, packets, want)
		var d etf.DistDecoder
		for i, packet := range packets {
			got, complete, err := d.Decode(packet)
			require.NoError(t, err)
			require.Equal(t, i == len(packets)-1, complete)
			if i > 0 {
				require.LessOrEqual(t, len(packet), 18+size)
			}
			if complete {
				require.True(t, etf.Equal(m.Payload, got.Payload))
			}
		}
	}
}
