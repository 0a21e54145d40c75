package port

import (
	"context"
	"log/slog"

	"github.com/beamport/beamport/etf"
)

// LogHandler returns a function for [Options.OnLog] that hands log lines to h: the time
// and the text as they are, the level as [Log.SlogLevel] has it, "call" for the id of
// the call if there is one, and each of the metadata as an attribute of its name.
func LogHandler(h slog.Handler) func(Log) {
	return func(l Log) {
		level := l.SlogLevel()
		if !h.Enabled(context.Background(), level) {
			return
		}
		record := slog.NewRecord(l.Time, level, l.Text, 0)
		if l.CallID != 0 {
			record.AddAttrs(slog.Uint64("call", l.CallID))
		}
		for key, value := range l.Meta.Pairs() {
			name, ok := key.AtomName()
			if !ok {
				name, ok = key.Text()
			}
			if ok {
				record.AddAttrs(slog.Attr{Key: name, Value: slogValue(value)})
			}
		}
		// There is nobody to tell of an error.
		_ = h.Handle(context.Background(), record)
	}
}

// slogValue returns a term of the metadata as a program would log it.
func slogValue(t etf.Term) slog.Value {
	switch t.Kind() {
	case etf.KindInt:
		if n, ok := t.Int64(); ok {
			return slog.Int64Value(n)
		}
	case etf.KindFloat:
		f, _ := t.Float64()
		return slog.Float64Value(f)
	case etf.KindAtom:
		name, _ := t.AtomName()
		return slog.StringValue(name)
	case etf.KindBinary:
		if text, ok := t.Text(); ok {
			return slog.StringValue(text)
		}
	}
	return slog.StringValue(t.String())
}

// SlogLevel returns the level as package slog counts: debug, info, warning and error
// are its own; notice lies between info and warning, and critical, alert and emergency
// lie above error, each by two. Another level is info.
func (l Log) SlogLevel() slog.Level {
	switch l.Level {
	case "debug":
		return slog.LevelDebug
	case "notice":
		return slog.LevelInfo + 2
	case "warning":
		return slog.LevelWarn
	case "error":
		return slog.LevelError
	case "critical":
		return slog.LevelError + 2
	case "alert":
		return slog.LevelError + 4
	case "emergency":
		return slog.LevelError + 6
	}
	return slog.LevelInfo
}
