package port_test

import (
	"errors"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/port"
)

// nested is a frame of so many elements: those that are given, one that is nested
// deeper than a term may be, and what is appended to it.
func nested(t *testing.T, arity byte, depth int, kind string, elements ...etf.Term) []byte {
	b, err := etf.Encode(etf.Tuple(append([]etf.Term{etf.Atom(kind)}, elements...)...))
	require.NoError(t, err)
	b[2] = arity
	return append(append(b, "t\x00\x00\x00\x01w\x01k"...), strings.Repeat("h\x01", depth)+"j"...)
}

// An error or a line of log that is over a limit of the codec is a frame nevertheless.
func TestFramesOverLimits(t *testing.T) {
	for _, depth := range []int{etf.DefaultMaxDepth, etf.LargestMaxDepth + 1} {
		var lines []port.Log
		c, p := connectPipe(t, port.Options{OnLog: func(l port.Log) { lines = append(lines, l) }})
		go func() {
			p.ready()
			p.serve(func(id, request etf.Term) {
				if request.IsAtom("log") {
					p.writeBytes(nested(t, 6, depth, "log", etf.Atom("info"), etf.Int(1), id, etf.String("text")))
					p.write("reply", id, request)
				} else {
					p.writeBytes(append(nested(t, 5, depth, "error", id, etf.Atom("exit")), 'j'))
				}
			})
		}()
		_, err := c.Call(t.Context(), etf.Atom("log"))
		require.NoError(t, err)
		require.Len(t, lines, 1)
		assert.Equal(t, "text", lines[0].Text)
		assert.Equal(t, "info", lines[0].Level)
		assert.EqualValues(t, 1, lines[0].CallID)
		assert.True(t, etf.Equal(etf.Map(), lines[0].Meta))

		_, err = c.Call(t.Context(), etf.Atom("error"))
		require.ErrorIs(t, err, etf.ErrLimit)
		require.ErrorContains(t, err, "port: call 2: the error: ")
		require.NoError(t, c.Err())
	}
}

// A request that is over a limit is its handler's concern, with credit or without.
func TestRequestsOverLimits(t *testing.T) {
	c, _ := servePipe(t, &port.Server{}, port.Options{})
	r := port.Request{Raw: []byte(strings.Repeat("h\x01", etf.DefaultMaxDepth+1) + "j")}
	_, err := c.Do(t.Context(), r)
	requireLimit(t, err)
	_, err = c.Stream(t.Context(), r)
	requireLimit(t, err)
	require.NoError(t, c.Err())
}

func requireLimit(t *testing.T, err error) {
	t.Helper()
	failure, ok := errors.AsType[*port.CallError](err)
	require.True(t, ok, "%v", err)
	require.Contains(t, failure.Message(), "MaxDepth")
}

// An error that is over a limit and broken besides is broken.
func TestBrokenFramesOverLimits(t *testing.T) {
	for name, frame := range map[string][]byte{
		"error": append(nested(t, 5, 1000, "error", etf.Int(1), etf.Atom("exit")), "jj"...),
		"no id": append(nested(t, 5, 1000, "error", etf.Atom("x"), etf.Atom("exit")), "j"...),
		"log":   append(nested(t, 6, 1000, "log", etf.Atom("info"), etf.Int(1), etf.Int(1), etf.String("x")), 'j'),
		"text":  nested(t, 6, 1000, "log", etf.Atom("info"), etf.Int(1), etf.Int(1), etf.Int(1)),
	} {
		t.Run(name, func(t *testing.T) {
			c, p := connectPipe(t, port.Options{})
			go func() {
				p.ready()
				p.writeBytes(frame)
			}()
			<-c.Done()
			requireProtocolError(t, c.Err())
		})
	}
}

// A line whose time is none that a log can show is shown with that of its arrival.
func TestLogsAtOddTimes(t *testing.T) {
	before := time.Now()
	var lines []port.Log
	c, p := connectPipe(t, port.Options{OnLog: func(l port.Log) { lines = append(lines, l) }})
	require.NoError(t, p.ready())
	odd := []etf.Term{
		etf.BigInt(new(big.Int).Lsh(big.NewInt(1), 70)), etf.BigInt(new(big.Int).Lsh(big.NewInt(-1), 70)),
		etf.Int(math.MaxInt64), etf.Int(math.MinInt64), etf.Int(253402300800_000000), etf.Int(-62167219200_000001),
	}
	for _, at := range append(odd, etf.Int(253402300799_999999), etf.Int(-62167219200_000000)) {
		require.NoError(t, p.write("log", etf.Atom("info"), at, etf.Atom("nil"), etf.String("x"), etf.Map()))
	}
	go p.echo()
	_, err := c.Call(t.Context(), etf.Int(1))
	require.NoError(t, err)
	require.Len(t, lines, len(odd)+2)
	for _, line := range lines[:len(odd)] {
		assert.False(t, line.Time.Before(before.Truncate(time.Microsecond)) || line.Time.After(time.Now()), "%v", line.Time)
		assert.Equal(t, time.UTC, line.Time.Location())
	}
	assert.Equal(t, 9999, lines[len(odd)].Time.Year())
	assert.Equal(t, 0, lines[len(odd)+1].Time.Year())
}

func requireProtocolError(t *testing.T, err error) {
	t.Helper()
	_, ok := errors.AsType[*port.ProtocolError](err)
	require.True(t, ok, "%v", err)
}
