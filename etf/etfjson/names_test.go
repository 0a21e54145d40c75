package etfjson

import (
	"bytes"
	"cmp"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// The order of the first bytes is never against that of the names.
func TestFirstBytes(t *testing.T) {
	name := rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 'a', 'b', 0x80, 0xFF}), 0, 12)
	rapid.Check(t, func(t *rapid.T) {
		a, b := name.Draw(t, "a"), name.Draw(t, "b")
		if order := cmp.Compare(firstBytes(a), firstBytes(b)); order != 0 {
			require.Equal(t, bytes.Compare(a, b), order)
		} else {
			n := min(len(a), len(b), wordLen)
			require.Equal(t, a[:n], b[:n])
		}
	})
}

// Names are found to come twice whatever their order and number.
func TestNamesTwice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var ns names
		var s scope
		ns.open(&s)
		var out []byte
		newest := map[string]int{}
		for i, name := range rapid.SliceOfN(rapid.StringMatching(`[a-c]{0,3}(abcdefgh[a-c]{0,2})?`), 0, 80).Draw(t, "names") {
			start := len(out)
			out = append(out, name...)
			want, twice := newest[name]
			if !twice {
				want = -1
			}
			require.Equal(t, want, ns.add(&s, out, start, len(out), firstBytes([]byte(name))), "%d %q", i, name)
			newest[name] = i
		}
		ns.close(&s)
		require.Empty(t, ns.members)
		require.Empty(t, ns.slots)
	})
}
