package bootstrap

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/beamport/beamport/etf"
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
	value any // string, bool, int64, float64 or []string
}

func newLogWriter(c Config) (*logWriter, error) {
	l := &logWriter{w: c.Logs, logger: c.Logger}
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

// log writes an entry that the function logged or printed, in the invocation
// given or outside of any.
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

// output writes a line of the VM's stdout or stderr, which knows no level and no
// invocation: as it is, or in JSON and as a record with the level INFO.
func (l *logWriter) output(stream port.Output, line []byte) {
	if l.json || l.logger != nil {
		l.write(entry{at: time.Now(), level: "INFO", text: string(line), fields: []field{{"stream", stream.String()}}})
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.buffer = append(l.buffer[:0], line...)
	l.flushLocked()
}

func (l *logWriter) write(e entry) {
	level := slices.Index(levels, e.level)
	if level < l.level {
		return
	}
	if l.logger != nil {
		l.record(slogLevels[level], e)
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.json {
		l.buffer = appendEntryJSON(l.buffer[:0], e)
	} else {
		l.buffer = appendEntryText(l.buffer[:0], e)
	}
	l.flushLocked()
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

// flushLocked ends the entry and writes it.
func (l *logWriter) flushLocked() {
	l.buffer = append(l.buffer, '\n')
	_, _ = l.w.Write(l.buffer) // as in record
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

// appendEntryJSON appends one object.
func appendEntryJSON(b []byte, e entry) []byte {
	object := make(map[string]any, len(e.fields)+4)
	for _, f := range e.fields {
		object[f.key] = f.value
	}
	object["timestamp"] = e.at.UTC().Format(timeFormat)
	object["level"] = e.level
	object["message"] = e.text
	if e.requestID != "" {
		object["requestId"] = e.requestID
	}
	line, err := json.Marshal(object)
	if err != nil { // text, booleans and finite numbers cannot fail
		line = []byte(`{"level":"ERROR","message":"an entry of the log could not be written as JSON"}`)
	}
	return append(b, line...)
}

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

// fieldsOf reads the metadata of a log frame.
func fieldsOf(meta etf.Term) []field {
	fields := make([]field, 0, meta.Len())
	for key, value := range meta.Pairs() {
		name, ok := key.AtomName()
		if !ok {
			continue
		}
		switch value.Kind() {
		case etf.KindAtom:
			if b, ok := value.Bool(); ok {
				fields = append(fields, field{name, b})
				continue
			}
			atom, _ := value.AtomName()
			fields = append(fields, field{name, atom})
		case etf.KindInt:
			n, _ := value.Int64()
			fields = append(fields, field{name, n})
		case etf.KindFloat:
			f, _ := value.Float64()
			fields = append(fields, field{name, f})
		case etf.KindBinary:
			text, _ := value.Text()
			fields = append(fields, field{name, text})
		}
	}
	return fields
}
