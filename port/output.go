//go:build linux || darwin

package port

import (
	"bufio"
	"bytes"
	"io"
	"strings"
	"sync"
	"sync/atomic"
)

// Output is one of a child's two streams of text.
type Output int

// The streams, by their file descriptor.
const (
	Stdout Output = 1
	Stderr Output = 2
)

// String returns "stdout" or "stderr".
func (o Output) String() string {
	if o == Stderr {
		return "stderr"
	}
	return "stdout"
}

const (
	// maxLine is the length of line above which it is passed on in parts.
	maxLine = 64 << 10

	tailLines = 20      // of stderr are kept for ExitError
	tailBytes = 1 << 10 // of each
)

// A draining is a goroutine that hands on what a child prints.
type draining struct {
	done    chan struct{} // closed when all has been handed on
	handing atomic.Bool   // a line is being handed on
}

// startDrain drains r in a goroutine.
func startDrain(r io.Reader, line func([]byte)) *draining {
	d := &draining{done: make(chan struct{})}
	go func() {
		defer close(d.done)
		drain(r, func(text []byte) {
			d.handing.Store(true)
			line(text)
			d.handing.Store(false)
		})
	}()
	return d
}

// drain reads r to its end and hands on each line without its newline.
func drain(r io.Reader, line func([]byte)) {
	lines := bufio.NewReaderSize(r, maxLine)
	inside := false // of a line of which parts were passed on
	for {
		text, err := lines.ReadSlice('\n')
		whole := err == nil
		if whole {
			text = text[:len(text)-1]
		}
		// The end of a line of exactly maxLine bytes is not another line.
		if len(text) > 0 || whole && !inside {
			line(text)
		}
		inside = err == bufio.ErrBufferFull
		if err != nil && !inside {
			return
		}
	}
}

// A tail keeps the last lines it is given.
type tail struct {
	mu    sync.Mutex
	lines []string
}

func (t *tail) add(line []byte) {
	// What stands for invalid bytes may be longer than they are.
	text := cut(strings.ToValidUTF8(string(bytes.TrimSuffix(line[:min(len(line), tailBytes)], []byte("\r"))), "\uFFFD"), tailBytes)
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.lines) == tailLines {
		t.lines = append(t.lines[:0], t.lines[1:]...)
	}
	t.lines = append(t.lines, text)
}

// last returns a copy of the lines.
func (t *tail) last() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]string(nil), t.lines...)
}
