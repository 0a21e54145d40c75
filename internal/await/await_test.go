package await

import (
	"bytes"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A waiter returns with what there is to read, at the stream's end, when it is closed,
// and when nothing comes.
func TestReadable(t *testing.T) {
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer r.Close()
	waiter := For(r)
	begin := time.Now()
	waiter.Readable()
	if supported {
		require.NotNil(t, waiter.raw)
	}
	require.Less(t, time.Since(begin), time.Minute, "it is over some time")
	_, err = w.Write([]byte("x"))
	require.NoError(t, err)
	waiter.Readable()
	b := make([]byte, 1)
	_, err = r.Read(b)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	waiter.Readable()
	require.NoError(t, r.Close())
	waiter.Readable()
	For(&bytes.Buffer{}).Readable()
	Waiter{}.Readable()
}

func TestReadableAllocatesNothing(t *testing.T) {
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer r.Close()
	defer w.Close()
	_, err = w.Write([]byte("x"))
	require.NoError(t, err)
	waiter := For(r)
	require.Zero(t, testing.AllocsPerRun(100, waiter.Readable))
}
