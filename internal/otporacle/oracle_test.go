package otporacle_test

import (
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/internal/otporacle"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start(t *testing.T) *otporacle.Oracle {
	t.Helper()
	o, err := otporacle.Start()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, o.Stop()) })
	return o
}

func release(t *testing.T, o *otporacle.Oracle) int64 {
	t.Helper()
	answer, err := o.Ask(etf.Atom("release"))
	require.NoError(t, err)
	release, ok := answer.Int64()
	require.True(t, ok)
	return release
}

// killer is a fun whose creator is an atom: OTP 25 and 26 decode it, and die when
// they encode it.
func killer(t *testing.T) []byte {
	t.Helper()
	b, err := etf.Encode(etf.Fun(etf.FunValue{Module: "m", Creator: etf.PidValue{Node: "n"}}))
	require.NoError(t, err)
	const pid = 1 + 2 + 3*4 // behind the node's tag, length and name
	b = append(b[:len(b)-pid-1], 119, 1, 'a')
	b[5] = byte(len(b) - 2)
	return b
}

func TestVerdicts(t *testing.T) {
	o := start(t)
	inputs := [][]byte{{131, 97, 1}, {131, 98, 0, 0, 0, 1}, {131, 97}, {97, 1}, {131, 97, 1, 0}}
	answers, err := o.Reencode(inputs)
	require.NoError(t, err)
	one := otporacle.Answer{Verdict: otporacle.Accepts, Encoded: []byte{131, 97, 1}}
	require.Equal(t, []otporacle.Answer{one, one, {}, {}, one}, answers)

	answers, err = o.Verdicts(inputs)
	require.NoError(t, err)
	require.Equal(t, otporacle.Answer{Verdict: otporacle.Accepts}, answers[1])
	require.Equal(t, otporacle.Answer{Verdict: otporacle.Refuses}, answers[2])
	require.Equal(t, 1, o.Starts())

	answers, err = o.Reencode(nil)
	require.NoError(t, err)
	require.Empty(t, answers)
}

// TestTheCulpritIsFound has one input among others kill the emulator.
func TestTheCulpritIsFound(t *testing.T) {
	o := start(t)
	inputs := make([][]byte, 21)
	for i := range inputs {
		inputs[i] = []byte{131, 97, byte(i)}
	}
	inputs[13] = killer(t)
	_, _, err := etf.DecodePrefix(inputs[13])
	require.ErrorIs(t, err, etf.ErrFun)
	require.True(t, otporacle.Deadly(inputs[13]))

	answers, err := o.Reencode(inputs)
	require.NoError(t, err)
	want := otporacle.Dies
	if release(t, o) >= 27 {
		want = otporacle.Refuses
	} else {
		require.Greater(t, o.Starts(), 2)
	}
	for i, answer := range answers {
		if i == 13 {
			require.Equal(t, want, answer.Verdict)
			reason, ok := otporacle.Known(inputs[i], answer)
			require.True(t, ok)
			require.Equal(t, want == otporacle.Dies, reason != "")
			continue
		}
		require.Equal(t, otporacle.Answer{Verdict: otporacle.Accepts, Encoded: inputs[i]}, answer)
	}
}

// TestUnknownDifferences makes up answers that no emulator gives.
func TestUnknownDifferences(t *testing.T) {
	for _, test := range []struct {
		name  string
		input []byte
		otporacle.Answer
	}{
		{"refused", []byte{131, 97, 1}, otporacle.Answer{Verdict: otporacle.Refuses}},
		{"dead", []byte{131, 97, 1}, otporacle.Answer{Verdict: otporacle.Dies}},
		{"accepted", []byte{131, 97}, otporacle.Answer{Verdict: otporacle.Accepts, Encoded: []byte{131, 97, 1}}},
		{"dead of what is refused", []byte{131, 97}, otporacle.Answer{Verdict: otporacle.Dies}},
		{"written otherwise", []byte{131, 97, 1}, otporacle.Answer{Verdict: otporacle.Accepts, Encoded: []byte{131, 97, 2}}},
	} {
		_, ok := otporacle.Known(test.input, test.Answer)
		require.False(t, ok, test.name)
	}
}

// TestStopLeavesNothing looks for the process and the files.
func TestStopLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	o, err := otporacle.Start()
	require.NoError(t, err)
	answer, err := o.Ask(etf.Atom("os_pid"))
	require.NoError(t, err)
	pid, ok := answer.Int64()
	require.True(t, ok)
	require.NoError(t, syscall.Kill(int(pid), 0))

	require.NoError(t, o.Stop())
	require.ErrorIs(t, syscall.Kill(int(pid), 0), syscall.ESRCH)
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestStartNeedsErlang(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := otporacle.Start()
	require.ErrorContains(t, err, "needs Erlang/OTP")
}
