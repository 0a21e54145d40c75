package bootstrap

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// Keys and strings of events make no atoms: with two million of each, all different, a VM
// that made some would be at the end of its table, which holds one million.
func TestBEAMAtoms(t *testing.T) {
	const events, keys = 10, 200_000
	r := startBEAM(t)
	count := func() string {
		payload := r.invoke(`{"do":"atoms"}`).Payload
		_, err := strconv.Atoi(string(payload))
		require.NoError(t, err)
		return string(payload)
	}
	count()
	before := count()
	for event := range events {
		b := []byte(`{"do":"atoms"`)
		for i := range keys {
			b = fmt.Appendf(b, `,"k%x":"v%x"`, event*keys+i, event*keys+i)
		}
		r.answers(string(append(b, '}')), before)
	}
	require.Len(t, r.vms(), 1)
}
