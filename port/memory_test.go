//go:build linux || darwin

package port

import (
	"context"
	"errors"
	"math"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/etf"
)

// A long frame leaves a connection no memory of its length.
func TestSenderKeepsLittle(t *testing.T) {
	near, far := net.Pipe()
	s := &Server{Handler: HandlerFunc(func(_ context.Context, c *ServerCall) (etf.Term, error) {
		long := strings.Repeat("x", 1<<20)
		c.Log(Log{Text: long})
		return etf.Term{}, errors.New(long)
	})}
	served := s.newServerConn(t.Context(), far)
	ended := make(chan error, 1)
	go func() { ended <- served.serve() }()
	served.sender.send(&outgoing{head: []byte("\x83h\x03w\x05readya\x01t\x00\x00\x00\x00")})
	var lines int
	c := NewConn(near, Options{OnLog: func(l Log) { lines += len(l.Text) }})
	_, err := c.Call(t.Context(), etf.Int(1))
	failure, ok := errors.AsType[*CallError](err)
	require.True(t, ok, "%v", err)
	require.Len(t, failure.Message(), 1<<20)
	require.Equal(t, 1<<20, lines)
	require.NoError(t, c.Close())
	<-c.Done()
	require.NoError(t, <-ended)
	require.LessOrEqual(t, cap(served.sender.batch), 2*batchSize)
}

// Credit is not cut to what an int of 32 bits holds.
func TestCreditIsNotCut(t *testing.T) {
	for _, credit := range []uint64{0, math.MaxInt32 + 1, 5 << 30, math.MaxInt64} {
		frame := appendID(append(appendStreamCall(nil, 1), "w\x04tail"...), credit)
		r, err := parseRequest(frame)
		require.NoError(t, err)
		require.EqualValues(t, credit, r.credit)
	}
	r, err := parseRequest(appendID(append(appendStreamCall(nil, 1), "w\x04tail"...), math.MaxUint64))
	require.NoError(t, err)
	require.Equal(t, int64(math.MaxInt64), r.credit)
}

// A line of stderr takes what ExitError says, whatever is in it.
func TestTailIsShort(t *testing.T) {
	var last tail
	for _, line := range []string{strings.Repeat("\xffx", 2000), strings.Repeat("x", tailBytes-1) + "é", "a\xff\r"} {
		last.add([]byte(line))
	}
	lines := last.last()
	require.Len(t, lines, 3)
	require.Len(t, lines[0], tailBytes)
	require.Equal(t, strings.Repeat("x", tailBytes-1), lines[1])
	require.Equal(t, "a\uFFFD", lines[2])
}
