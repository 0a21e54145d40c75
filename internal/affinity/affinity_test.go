package affinity

import (
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLast(t *testing.T) {
	var s Set
	last := s.Last()
	assert.Zero(t, last.Len())
	s[0] = 0b101
	last = s.Last()
	assert.Equal(t, Set{0b100}, last)
	s[words-1] = 1
	last = s.Last()
	assert.Equal(t, 1, last.Len())
	assert.EqualValues(t, 1, last[words-1])
	assert.Equal(t, 3, s.Len())
}

// A child with threads of its own is kept on one processor, and let go.
func TestApply(t *testing.T) {
	if runtime.GOOS != "linux" {
		_, err := Of(0)
		require.ErrorIs(t, err, ErrUnsupported)
		return
	}
	all, err := Of(0)
	require.NoError(t, err)
	require.Positive(t, all.Len())

	cmd := exec.Command("erl", "-noinput", "-boot", "start_clean")
	require.NoError(t, cmd.Start())
	defer func() {
		require.NoError(t, cmd.Process.Kill())
		require.Error(t, cmd.Wait())
	}()
	for _, want := range []Set{all.Last(), all} {
		require.NoError(t, want.Apply(cmd.Process.Pid))
		threads, err := os.ReadDir("/proc/" + strconv.Itoa(cmd.Process.Pid) + "/task")
		require.NoError(t, err)
		for _, thread := range threads {
			id, err := strconv.Atoi(thread.Name())
			require.NoError(t, err)
			got, err := Of(id)
			require.NoError(t, err)
			require.Equal(t, want, got)
		}
	}
	require.Error(t, all.Apply(-1))
}
