package runtimeapi

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// parsed is what readHead makes of a text, and the fields that it saw.
func parsed(text string) (head, map[string]string, error) {
	near, far := net.Pipe()
	defer near.Close()
	go func() {
		_, _ = io.WriteString(far, text) // the reader may have seen enough
		far.Close()
	}()
	fields := map[string]string{}
	h, err := newConnection(near).readHead(func(name, value []byte) { fields[string(name)] = string(value) })
	return h, fields, err
}

func TestHead(t *testing.T) {
	for _, c := range []struct {
		text string
		want head
	}{
		{"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", head{status: 200, length: 3}},
		{"HTTP/1.1 202\r\nCONTENT-LENGTH:3\r\ncontent-length: 3 \r\n\r\n", head{status: 202, length: 3}},
		{"HTTP/1.1 200 OK\nTransfer-Encoding: Chunked\n\n", head{status: 200, length: -1, chunked: true}},
		{"HTTP/1.1 200 \r\nConnection: x, Close\r\nContent-Length: 0\r\n\r\n", head{status: 200, close: true}},
		{"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", head{status: 200, close: true}},
		{"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 0\r\n\r\n", head{status: 200}},
		{"HTTP/1.1 200 OK\r\n\r\n", head{status: 200, length: -1, close: true}},
		{"HTTP/1.1 204 No Content\r\n\r\n", head{status: 204}},
		{"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 202 OK\r\nContent-Length: 1\r\n\r\n", head{status: 202, length: 1}},
	} {
		h, _, err := parsed(c.text)
		if assert.NoError(t, err, c.text) {
			assert.Equal(t, c.want, h, c.text)
		}
	}
}

func TestHeadMalformed(t *testing.T) {
	for text, message := range map[string]string{
		"":                        "EOF",
		"HTTP":                    "unexpected EOF",
		"HTTP/1.1 200 OK\r\n":     "unexpected EOF",
		"HTTP/1.1 200 OK\r\na: b": "unexpected EOF",
		"HTTP/2 200 OK\r\n\r\n":   `it begins with "HTTP/2 200 OK"`,
		"HTTP/1.1 20 OK\r\n\r\n":  `its status is "20"`,
		"HTTP/1.1 0200\r\n\r\n":   `its status is "0200"`,
		"HTTP/1.1 099 x\r\n\r\n":  `its status is "099"`,
		"HTTP/1.1 101 Switching Protocols\r\n\r\n":                                          "another protocol",
		"HTTP/1.1 200 OK\r\n folded\r\n\r\n":                                                "a line of its head is",
		"HTTP/1.1 200 OK\r\na : b\r\n\r\n":                                                  "a line of its head is",
		"HTTP/1.1 200 OK\r\n: b\r\n\r\n":                                                    "a line of its head is",
		"HTTP/1.1 200 OK\r\nnone\r\n\r\n":                                                   "a line of its head is",
		"HTTP/1.1 200 OK\r\na: b\rc\r\n\r\n":                                                "a control character",
		"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n":                                     `its length is "-1"`,
		"HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\n":                                     `its length is "+1"`,
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n":                 `its length is "2"`,
		"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n":                   "its length is",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n":                       "its encoding is",
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n":        "both a length and chunks",
		"HTTP/1.1 200 OK\r\na: " + strings.Repeat("x", readBuffer) + "\r\n\r\n":             "a line of its head has more than",
		"HTTP/1.1 200 OK\r\n" + strings.Repeat("a: "+strings.Repeat("x", 1000)+"\r\n", 300): "its head has more than",
	} {
		_, _, err := parsed(text)
		assert.ErrorContains(t, err, message, "%.60q", text)
	}
}

// Whatever net/http writes is read as it was meant.
func TestHeadOfNetHTTP(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		status := rapid.IntRange(200, 599).Draw(t, "status")
		fields := rapid.MapOfN(rapid.StringMatching(`x-[a-z0-9-]{1,20}`), rapid.StringMatching(`([!-~]([ -~]{0,30}[!-~])?)?`), 0, 8).Draw(t, "fields")
		r := http.Response{StatusCode: status, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, ContentLength: 0, Body: http.NoBody}
		for name, value := range fields {
			r.Header.Set(name, value)
		}
		var text strings.Builder
		require.NoError(t, r.Write(&text))
		h, got, err := parsed(text.String())
		require.NoError(t, err)
		assert.Equal(t, status, h.status)
		for name, value := range fields {
			assert.Equal(t, value, got[name])
		}
	})
}

func TestChunks(t *testing.T) {
	const most = 20
	for text, want := range map[string]string{
		"0\r\n\r\n":             "",
		"3\r\nabc\r\n0\r\n\r\n": "abc",
		"3;x=y\r\nabc\r\n02\r\nde\r\n0\r\nA: b\r\n\r\n":      "abcde",
		"14\r\n" + strings.Repeat("x", 20) + "\r\n0\r\n\r\n": strings.Repeat("x", 20),
	} {
		got, err := chunksOf(text, most)
		if assert.NoError(t, err, text) {
			assert.Equal(t, want, string(got), text)
		}
	}
	for text, message := range map[string]string{
		"":                       "unexpected EOF",
		"3\r\nab":                "unexpected EOF",
		"3\r\nabc":               "unexpected EOF",
		"3\r\nabc\r\n":           "unexpected EOF",
		"3\r\nabc\r\n0\r\n":      "unexpected EOF",
		"3\r\nabcd\r\n0\r\n\r\n": "a chunk is longer than it says",
		"x\r\n\r\n":              `the length of a chunk is "x"`,
		"-1\r\n\r\n":             `the length of a chunk is "-1"`,
		"\r\n":                   `the length of a chunk is ""`,
		"15\r\n":                 "it is too long",
		"fffffffffffffff\r\n":    "it is too long",
		"0\r\n" + strings.Repeat("A: "+strings.Repeat("x", 1000)+"\r\n", 300): "its trailers have more than",
	} {
		_, err := chunksOf(text, most)
		assert.ErrorContains(t, err, message, "%.60q", text)
	}
}

func chunksOf(text string, most int) ([]byte, error) {
	near, far := net.Pipe()
	defer near.Close()
	go func() {
		_, _ = io.WriteString(far, text) // as above
		far.Close()
	}()
	return newConnection(near).readBody(head{chunked: true}, nil, most)
}

// A connection that is used for requests of one context, then of another, is ended by
// the one that it is used for.
func TestContextsTakeTurns(t *testing.T) {
	api, c := newFakeAPI(t, event("{}", nil))
	for range 3 {
		_, err := c.Next(t.Context(), nil)
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		_, err = c.Next(ctx, nil)
		require.NoError(t, err)
		cancel()
		_, err = c.Next(ctx, nil)
		require.ErrorIs(t, err, context.Canceled)
	}
	assert.Len(t, api.got(), 6)
}
