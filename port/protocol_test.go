package port_test

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"io"
	"net"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/port"
)

// An example is one of PROTOCOL.md's: a term and the bytes of its frame.
type example struct {
	text  string
	bytes []byte
}

func examples(t *testing.T) (page string, found []example) {
	b, err := os.ReadFile("../PROTOCOL.md")
	require.NoError(t, err)
	page = string(b)
	for _, block := range regexp.MustCompile("(?ms)^```frame\n(.*?)^```$").FindAllStringSubmatch(page, -1) {
		text, digits, ok := strings.Cut(block[1], "\n\n")
		require.True(t, ok, "no empty line in %q", block[1])
		content, err := hex.DecodeString(strings.Join(strings.Fields(digits), ""))
		require.NoError(t, err, "%s", text)
		found = append(found, example{text, content})
	}
	return page, found
}

// tight takes out the white space that is not within quotes.
func tight(text string) string {
	var b strings.Builder
	quoted := false
	for _, r := range text {
		if r == '"' {
			quoted = !quoted
		}
		if quoted || !strings.ContainsRune(" \n\t", r) {
			b.WriteRune(r)
		}
	}
	return b.String()
}

func TestProtocolExamples(t *testing.T) {
	_, all := examples(t)
	require.NotEmpty(t, all)
	for _, e := range all {
		t.Run(strings.SplitN(e.text, "\n", 2)[0], func(t *testing.T) {
			require.Greater(t, len(e.bytes), 4)
			require.EqualValues(t, len(e.bytes)-4, binary.BigEndian.Uint32(e.bytes))
			term, err := etf.Decode(e.bytes[4:])
			require.NoError(t, err)
			require.Equal(t, tight(e.text), tight(term.String()))
			again, err := etf.Encode(term)
			require.NoError(t, err)
			require.Equal(t, e.bytes[4:], again)
		})
	}
}

// Every frame in the page's tables has an example.
func TestProtocolExamplesAreComplete(t *testing.T) {
	page, all := examples(t)
	rows := regexp.MustCompile("(?m)^\\| `\\{([a-z]+),").FindAllStringSubmatch(page, -1)
	require.Len(t, rows, 16)
	for _, row := range rows {
		found := false
		for _, e := range all {
			found = found || strings.HasPrefix(e.text, "{"+row[1]+",")
		}
		assert.True(t, found, "no example of %s", row[1])
	}
}

// A connection takes what the page shows from the serving side.
func TestProtocolExamplesAreTaken(t *testing.T) {
	_, all := examples(t)
	var lines []port.Log
	c, p := connectPipe(t, port.Options{OnLog: func(l port.Log) { lines = append(lines, l) }})
	taken := make(chan int)
	go func() {
		n := 0 // final frames
		for _, e := range all {
			switch kind, _, _ := strings.Cut(strings.TrimPrefix(e.text, "{"), ","); kind {
			case "reply", "error", "done", "ack":
				n++
				p.rwc.Write(e.bytes)
			case "ready", "log", "head", "chunk", "pong":
				p.rwc.Write(e.bytes)
			}
		}
		p.rwc.Close()
		taken <- n
	}()
	n := <-taken
	<-c.Done()
	require.ErrorIs(t, c.Err(), io.EOF)
	require.Len(t, lines, 2)
	require.EqualValues(t, n, c.Stats().Unknown)
}

// A server takes what the page shows from the calling side.
func TestProtocolExamplesAreServed(t *testing.T) {
	_, all := examples(t)
	near, far := net.Pipe()
	ended := make(chan error, 1)
	s := &port.Server{Handler: port.HandlerFunc(func(context.Context, *port.ServerCall) (etf.Term, error) { return etf.Atom("ok"), nil })}
	go func() { ended <- s.ServeConn(t.Context(), far) }()
	go io.Copy(io.Discard, near)
	sent := 0
	for _, e := range all {
		switch kind, _, _ := strings.Cut(strings.TrimPrefix(e.text, "{"), ","); kind {
		case "call", "cast", "cancel", "credit", "ping", "stop":
			_, err := near.Write(e.bytes)
			require.NoError(t, err)
			sent++
		}
	}
	require.Equal(t, 9, sent)
	require.NoError(t, <-ended)
	near.Close()
}
