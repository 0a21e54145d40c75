package emulator

import (
	"bytes"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLogTail(t *testing.T) {
	a := start(t, Options{})
	got := a.call(t, Invocation{RequestID: "r1"})
	id, _ := a.next(t)
	io.WriteString(a.Logs(), "[info] hello\n")
	a.post(t, id, "response", "1")
	o := <-got
	require.Regexp(t, `^START RequestId: r1 Version: \$LATEST
\[info\] hello
END RequestId: r1
REPORT RequestId: r1	Duration: \d+\.\d\d ms	Billed Duration: \d+ ms	Memory Size: 128 MB
$`, string(o.Log))

	got = a.call(t, Invocation{})
	id, _ = a.next(t)
	a.Logs().Write(bytes.Repeat([]byte("a"), 3<<10))
	a.Logs().Write(bytes.Repeat([]byte("b"), 3<<10))
	a.Logs().Write(bytes.Repeat([]byte("c"), 9<<10))
	a.post(t, id, "response", "1")
	o = <-got
	require.Len(t, o.Log, 4<<10)
	require.NotContains(t, string(o.Log), "bbb")
	require.Contains(t, string(o.Log), "END RequestId: "+id)

	// Nothing is under way: nobody's.
	n, err := io.WriteString(a.Logs(), "nobody's\n")
	require.NoError(t, err)
	require.Equal(t, 9, n)
}

func TestLogTailWithConcurrency(t *testing.T) {
	a := start(t, Options{Concurrency: 2})
	first, second := a.call(t, Invocation{RequestID: "aaaa"}), a.call(t, Invocation{RequestID: "bbbb"})
	a.next(t)
	a.next(t)
	io.WriteString(a.Logs(), "{\"requestId\":\"aaaa\"}\n{\"requestId\":\"bbbb\"}\n{\"other\":1}\n")
	a.post(t, "aaaa", "response", "1")
	a.post(t, "bbbb", "response", "1")
	log := string((<-first).Log)
	assert.Contains(t, log, `{"requestId":"aaaa"}`)
	assert.NotContains(t, log, "bbbb")
	assert.NotContains(t, log, "other")
	assert.Contains(t, string((<-second).Log), `{"requestId":"bbbb"}`)
}
