//go:build linux

package soak

import (
	"os"
	"os/exec"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	PlayChild()
	goleak.VerifyTestMain(m)
}

// The short form of a soak with children in Go: every kind chosen fires, and nothing is
// found. Left to "make soak", for what they find is not mended: BEAMs, of which a failed
// call is now and then not answered, and "half-written frame", whose ExitError lacks
// io.ErrUnexpectedEOF when a writer sees EPIPE first.
func TestSoak(t *testing.T) {
	if os.Getenv("BEAMPORT_SOAK") == "" {
		t.Skip("set BEAMPORT_SOAK=1: calls on children that end are at times not answered, which is not explained")
	}
	r, err := Run(t.Context(), Options{
		For: 10 * time.Second, Workers: 3, Seed: 1,
		Kinds: regexp.MustCompile("^[^h]"), // not half-written frame
	})
	require.NoError(t, err)
	t.Log("\n" + r.String())
	require.Empty(t, r.Bad(), "%v", r.Findings)
}

// Each leak is seen.
func TestFootprint(t *testing.T) {
	const run = "footprint"
	base, err := measure(run)
	require.NoError(t, err)

	file, err := os.Open(os.DevNull)
	require.NoError(t, err)
	end := make(chan struct{})
	go func() { <-end }()
	child := exec.Command("sleep", "1000")
	child.Env = append(os.Environ(), RunVariable+"="+run)
	require.NoError(t, child.Start())

	over, err := settle(run, base, 0)
	require.NoError(t, err)
	require.Equal(t, Footprint{FDs: over.FDs, Goroutines: 1, Processes: 1}, over)
	require.Positive(t, over.FDs)

	// A zombie is a leak too.
	require.NoError(t, child.Process.Kill())
	over, err = settle(run, base, 0)
	require.NoError(t, err)
	require.Equal(t, 1, over.Processes)

	child.Wait()
	file.Close()
	close(end)
	over, err = settle(run, base, time.Minute)
	require.NoError(t, err)
	require.Zero(t, over)
}

// A report is bad for each single thing that must not be.
func TestReportBad(t *testing.T) {
	require.Empty(t, (&Report{Kinds: []KindCount{{"a", 1}}}).Bad())
	for want, r := range map[string]Report{
		"lost 2":              {Open: 1, Outcomes: Outcomes{Lost: 1}},
		"mismatched 1":        {Outcomes: Outcomes{Mismatched: 1}},
		"answered twice 1":    {Outcomes: Outcomes{Twice: 1}},
		"unexplained 1":       {Unexplained: 1},
		"leaked fds 1":        {Leaked: Footprint{FDs: 1}},
		"leaked goroutines 1": {Leaked: Footprint{Goroutines: 1}},
		"leaked processes 1":  {Leaked: Footprint{Processes: 1}},
		"a never fired":       {Kinds: []KindCount{{"a", 0}}},
	} {
		require.Equal(t, []string{want}, r.Bad())
	}
}
