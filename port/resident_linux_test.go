package port_test

import (
	"bytes"
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/port"
)

// kernelCount returns a number that the kernel gives in a file under /proc for a
// process.
func kernelCount(t testing.TB, pid int, file, name string) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file))
	require.NoError(t, err)
	_, after, found := bytes.Cut(text, []byte(name+":"))
	require.True(t, found, name)
	var n int
	_, err = fmt.Sscan(string(after), &n)
	require.NoError(t, err)
	return n
}

// A BEAM reads whatever is sent to it, and keeps it where the port's owner is slow. All
// that it ever holds is the window and what it holds by itself.
func TestWindowBoundsTheBEAM(t *testing.T) {
	const window, more = 64 << 20, 64 << 20
	c := erlCommand()
	c.Options.MaxInFlightBytes = window
	p := start(t, c)
	require.NoError(t, p.Conn().Cast(t.Context(), etf.Atom("deaf")))
	raw, err := etf.EncodeOptions{NoVersion: true}.Encode(etf.Binary(pattern(1<<20, 1)))
	require.NoError(t, err)
	const callers = 500
	ended := make(chan error)
	for range callers {
		go func() {
			_, err := p.Conn().Do(t.Context(), port.Request{Raw: raw})
			ended <- err
		}()
	}
	sent := func() int { return kernelCount(t, p.Pid(), "io", "rchar") }
	eventually(t, func() bool { s := p.Conn().Stats(); return s.InFlight+s.Waiting == callers+1 && sent() > s.Bytes })
	stats := p.Conn().Stats()
	require.Greater(t, stats.Bytes, window-2<<20)
	require.LessOrEqual(t, stats.Bytes, window)
	peak := kernelCount(t, p.Pid(), "status", "VmHWM") << 10
	t.Logf("%d bytes of %d MB in flight, %d MB resident at most", stats.Bytes, callers, peak>>20)
	require.Greater(t, peak, stats.Bytes, "it has taken them in")
	require.LessOrEqual(t, peak, window+more)
	require.NoError(t, p.Kill())
	for range callers {
		require.Error(t, <-ended)
	}
}
