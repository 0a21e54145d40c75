package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// console is where the program reads and writes. Its writers may be used
// concurrently: each write goes out whole.
type console struct {
	in       io.Reader
	out, err io.Writer
	// outTTY says that a person reads out.
	outTTY bool
	// errTTY says that a person reads err.
	errTTY             bool
	outStyle, errStyle style
}

func newConsole(in io.Reader, out, err io.Writer) *console {
	mu := new(sync.Mutex)
	colours := os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	return &console{
		in:       in,
		out:      &lockedWriter{mu, out},
		err:      &lockedWriter{mu, err},
		outTTY:   isTerminal(out),
		errTTY:   isTerminal(err),
		outStyle: style{colour: colours && isTerminal(out)},
		errStyle: style{colour: colours && isTerminal(err)},
	}
}

// isTerminal reports whether a person sees what is written to w.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

type lockedWriter struct {
	mu *sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

// style colours text, where colour is wanted.
type style struct{ colour bool }

func (s style) paint(code, text string) string {
	if !s.colour {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (s style) bold(text string) string   { return s.paint("1", text) }
func (s style) dim(text string) string    { return s.paint("2", text) }
func (s style) red(text string) string    { return s.paint("31", text) }
func (s style) green(text string) string  { return s.paint("32", text) }
func (s style) yellow(text string) string { return s.paint("33", text) }

// milliseconds prints a duration with three digits or so.
func milliseconds(d time.Duration) string {
	ms := float64(d) / float64(time.Millisecond)
	switch {
	case ms < 10:
		return fmt.Sprintf("%.2f ms", ms)
	case ms < 100:
		return fmt.Sprintf("%.1f ms", ms)
	default:
		return fmt.Sprintf("%.0f ms", ms)
	}
}

func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// readable is a response for a person: JSON on lines of its own, text ending
// its last line, and of anything else only what it is.
func readable(body []byte, contentType string) []byte {
	var b bytes.Buffer
	switch {
	case len(body) == 0:
		return nil
	case json.Valid(body):
		_ = json.Indent(&b, body, "", "  ") // it is valid
	case !utf8.Valid(body) || bytes.ContainsRune(body, 0) || bytes.ContainsRune(body, 0x1b):
		// Nothing that could steer the terminal.
		fmt.Fprintf(&b, "(%s of %s)", count(len(body), "byte"), contentType)
	default:
		b.Write(body)
	}
	if !strings.HasSuffix(b.String(), "\n") {
		b.WriteByte('\n')
	}
	return b.Bytes()
}
