package port_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/port"
)

func TestProtocolViolations(t *testing.T) {
	call := func(kind string, elements ...etf.Term) []byte {
		b, err := etf.Encode(etf.Tuple(append([]etf.Term{etf.Atom(kind)}, elements...)...))
		require.NoError(t, err)
		return b
	}
	canary := etf.String("canary")
	atom, number, dict := etf.Atom("info"), etf.Int(1), etf.Map(etf.Pair{Key: canary, Value: canary})
	tests := map[string]struct {
		frame []byte
		kind  string
	}{
		"empty":                      {[]byte{}, ""},
		"no term":                    {[]byte("canary"), ""},
		"another term":               {call("canary", canary), ""},
		"of the other direction":     {call("cancel", number), ""},
		"a second ready":             {call("ready", number, dict), "ready"},
		"reply without an id":        {call("reply", canary, canary), "reply"},
		"reply cut":                  {call("reply", number, canary)[:15], "reply"},
		"reply with bytes behind":    {append(call("reply", number, canary), 106), "reply"},
		"reply compressed":           {append(call("reply", number, canary)[:12], 80, 0, 0, 0, 1, 0), "reply"},
		"reply too short":            {call("reply", number), "reply"},
		"reply with a key twice":     {append(call("reply", number)[:2], "\x03w\x05replya\x01t\x00\x00\x00\x02a\x01a\x01a\x01a\x01"...), "reply"},
		"error cut":                  {call("error", number, atom, dict, etf.List())[:20], "error"},
		"error without an id":        {call("error", atom, atom, dict, etf.List()), "error"},
		"error without a class":      {call("error", number, canary, dict, etf.List()), "error"},
		"error without a reason":     {call("error", number, atom, canary, etf.List()), "error"},
		"error without a stack":      {call("error", number, atom, dict, canary), "error"},
		"error with a stack of ints": {call("error", number, atom, dict, etf.List(canary, number)), "error"},
		"log without a level":        {call("log", canary, number, number, canary, dict), "log"},
		"log without a time":         {call("log", atom, canary, number, canary, dict), "log"},
		"log with an atom for an id": {call("log", atom, number, atom, canary, dict), "log"},
		"log without a text":         {call("log", atom, number, number, number, dict), "log"},
		"log without metadata":       {call("log", atom, number, number, canary, canary), "log"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c, p := connectPipe(t, port.Options{OnLog: func(port.Log) { t.Error("a bad line came through") }})
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				p.ready()
				p.serve(func(etf.Term, etf.Term) { p.writeBytes(tt.frame) })
			}()
			_, err := c.Call(t.Context(), etf.Int(1))
			<-ended // the stream is closed
			broken, ok := errors.AsType[*port.ProtocolError](err)
			require.True(t, ok, "%v", err)
			assert.Equal(t, tt.kind, broken.Frame)
			assert.LessOrEqual(t, broken.Offset, len(tt.frame))
			assert.Error(t, broken.Unwrap())
			assert.NotContains(t, err.Error(), "canary")
			<-c.Done()
			assert.ErrorIs(t, c.Err(), broken)
			_, err = c.Call(t.Context(), etf.Int(1))
			assert.ErrorIs(t, err, broken)
		})
	}
	for name, frame := range map[string][]byte{
		"reply":                   call("reply", number, canary),
		"log":                     call("log", atom, number, number, canary, dict),
		"ready without a version": call("ready", canary, dict),
		"ready without info":      call("ready", number, canary),
		"ready with extras":       call("ready", number, dict, number),
	} {
		t.Run("first comes "+name, func(t *testing.T) {
			c, p := connectPipe(t, port.Options{})
			go p.writeBytes(frame)
			_, err := c.Ready(t.Context())
			broken, ok := errors.AsType[*port.ProtocolError](err)
			require.True(t, ok, "%v", err)
			assert.Equal(t, strings.Fields(name)[0], broken.Frame)
			assert.NotContains(t, err.Error(), "canary")
		})
	}
}

// A reply that is over a limit of the codec is a frame nevertheless: its call
// fails, and the next one has the stream.
func TestReplyOverLimit(t *testing.T) {
	c, p := connectPipe(t, port.Options{})
	deep := append([]byte("\x83h\x03w\x05replya\x01"), strings.Repeat("h\x01", etf.LargestMaxDepth+1)+"j"...)
	go func() {
		p.ready()
		p.serve(func(id, request etf.Term) {
			if request.IsAtom("deep") {
				p.writeBytes(deep)
				return
			}
			p.write("reply", id, request)
		})
	}()
	_, err := c.Call(t.Context(), etf.Atom("deep"))
	limit, ok := errors.AsType[*etf.LimitError](err)
	require.True(t, ok, "%v", err)
	assert.Equal(t, "MaxDepth", limit.Limit)
	assert.ErrorContains(t, err, "port: call 1: ")
	answer, err := c.Call(t.Context(), etf.Atom("next"))
	require.NoError(t, err)
	assert.True(t, answer.IsAtom("next"))
}
