package bootstrap

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/beamport/beamport/port"
)

// Levels of Lambda's log, lowest first.
var levels = []string{"TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"}

// The same as levels of log/slog.
var slogLevels = []slog.Level{slog.LevelDebug - 4, slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError, slog.LevelError + 4}

// logWriter writes entries of log in one of Lambda's two formats:
// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-advanced.html
//
// It may be used concurrently. An entry is one Write.
type logWriter struct {
	json   bool
	level  int // the lowest that is written, an index of levels
	logger *slog.Logger

	mu     sync.Mutex // serialises writes: who waits for it waits for w anyway
	w      io.Writer
	buffer []byte

	frames bool // of Lambda's telemetry, in place of lines
	frame  []byte
}

// entry is one of a log.
type entry struct {
	at        time.Time
	level     string // one of levels
	requestID string // empty outside of invocations
	text      string
	fields    []field // only in JSON and records
}

type field struct {
	key   string
	value any // string, bool, int64, float64, []string or json.RawMessage
}

func newLogWriter(c Config, frames bool) (*logWriter, error) {
	l := &logWriter{w: c.Logs, logger: c.Logger, frames: frames}
	switch strings.ToLower(c.LogFormat) {
	case "", "text":
	case "json":
		l.json = true
	default:
		return nil, fmt.Errorf("bootstrap: the log format is %.20q, neither Text nor JSON", c.LogFormat)
	}
	if c.LogLevel != "" {
		l.level = slices.Index(levels, strings.ToUpper(c.LogLevel))
		if l.level < 0 {
			return nil, fmt.Errorf("bootstrap: the log level is %.20q, none of %s", c.LogLevel, strings.Join(levels, ", "))
		}
	}
	return l, nil
}

// log writes an entry that the function logged or printed, in the invocation given, or
// with an empty id for one that is not known: it may be another than the one under way, so
// the entry has none then.
func (l *logWriter) log(requestID string, line port.Log) {
	l.write(entry{at: line.Time, level: levelOf(line.Level), requestID: requestID, text: line.Text, fields: fieldsOf(line.Meta)})
}

// runtime writes an entry of the runtime's own.
func (l *logWriter) runtime(level, requestID, text string) {
	l.write(entry{at: time.Now(), level: level, requestID: requestID, text: text})
}

// failure writes how an invocation failed.
func (l *logWriter) failure(requestID string, f *FunctionError) {
	e := entry{at: time.Now(), level: "ERROR", requestID: requestID, text: f.Type + ": " + f.Message}
	if l.json || l.logger != nil {
		e.fields = []field{{"errorType", f.Type}, {"errorMessage", f.Message}, {"stackTrace", append([]string{}, f.StackTrace...)}}
	} else {
		for _, line := range f.StackTrace {
			e.text += "\n    " + line
		}
	}
	l.write(e)
}

// output writes a line of the VM's stdout or stderr. It knows neither an invocation, any
// process may have written it at any time, nor a level, so that there is none that it would
// be below: it is written as it is, or in JSON and as a record with the level INFO.
func (l *logWriter) output(stream port.Output, line []byte) {
	if l.json || l.logger != nil {
		l.put(slog.LevelInfo, entry{at: time.Now(), level: "INFO", text: string(line), fields: []field{{"stream", stream.String()}}})
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.buffer = append(l.buffer[:0], line...)
	l.flushLocked(time.Now(), "")
}

func (l *logWriter) write(e entry) {
	level := slices.Index(levels, e.level)
	if level >= l.level {
		l.put(slogLevels[level], e)
	}
}

// put writes an entry, whatever its level.
func (l *logWriter) put(level slog.Level, e entry) {
	if l.logger != nil {
		l.record(level, e)
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.json {
		l.buffer = appendEntryJSON(l.buffer[:0], e)
	} else {
		l.buffer = appendEntryText(l.buffer[:0], e)
	}
	l.flushLocked(e.at, e.level)
}

func (l *logWriter) record(level slog.Level, e entry) {
	ctx := context.Background()
	if !l.logger.Enabled(ctx, level) {
		return
	}
	r := slog.NewRecord(e.at, level, e.text, 0)
	if e.requestID != "" {
		r.AddAttrs(slog.String("request_id", e.requestID))
	}
	for _, f := range e.fields {
		r.AddAttrs(slog.Any(f.key, f.value))
	}
	_ = l.logger.Handler().Handle(ctx, r) // a log that cannot be written is nowhere to be reported
}

// flushLocked ends the entry and writes it, as a frame or with a newline.
func (l *logWriter) flushLocked(at time.Time, level string) {
	if l.frames {
		l.frame = appendFrame(l.frame[:0], l.json, level, at, l.buffer)
		_, _ = l.w.Write(l.frame) // as in record
		l.frame = keep(l.frame)
	} else {
		l.buffer = append(l.buffer, '\n')
		_, _ = l.w.Write(l.buffer)
	}
	l.buffer = keep(l.buffer)
}

// appendEntryText appends the form that Lambda's own runtimes have: level, time,
// request id and text, with tabs between them.
func appendEntryText(b []byte, e entry) []byte {
	b = append(append(append(b, '['), e.level...), "]\t"...)
	b = append(e.at.UTC().AppendFormat(b, timeFormat), '\t')
	if e.requestID != "" {
		b = append(append(b, e.requestID...), '\t')
	}
	return append(b, e.text...)
}

// timeFormat is RFC 3339 with milliseconds.
const timeFormat = "2006-01-02T15:04:05.000Z"

// levelOf is Lambda's word for a level of Erlang's.
func levelOf(erlang string) string {
	switch erlang {
	case "emergency", "alert", "critical":
		return "FATAL"
	case "error":
		return "ERROR"
	case "warning":
		return "WARN"
	case "debug":
		return "DEBUG"
	default: // notice, info
		return "INFO"
	}
}
