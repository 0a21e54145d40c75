package emulator

import (
	"bytes"
	"io"
)

// Logs is where the host writes what the runtime logs, line by line, so that
// callers may ask for it. While one invocation is under way it belongs to that.
// With several ([Options.Concurrency]) a line belongs to the one whose request
// id it holds, as in Lambda's JSON log format. What belongs to none is dropped.
// The writer may be used concurrently and never fails.
func (s *Server) Logs() io.Writer { return (*logWriter)(s) }

type logWriter Server

func (w *logWriter) Write(p []byte) (int, error) {
	s := (*Server)(w)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, v := range s.handed {
		if v.phase != running && v.phase != answering {
			continue
		}
		if s.opts.Concurrency == 1 {
			v.log.write(p)
			continue
		}
		for line := range bytes.Lines(p) {
			if bytes.Contains(line, []byte(v.RequestID)) {
				v.log.write(line)
			}
		}
	}
	return len(p), nil
}

// logTail keeps the last logTailSize bytes of what is written to it.
type logTail struct{ b []byte }

func (t *logTail) write(p []byte) {
	if len(p) >= logTailSize {
		t.b = append(t.b[:0], p[len(p)-logTailSize:]...)
		return
	}
	if over := len(t.b) + len(p) - logTailSize; over > 0 {
		t.b = t.b[:copy(t.b, t.b[over:])]
	}
	t.b = append(t.b, p...)
}
