package port

import (
	"context"
	"log/slog"

	"github.com/beamport/beamport/etf"
)

// callHandler sends what a logger is given to the other side.
type callHandler struct {
	call   *ServerCall
	attrs  []etf.Pair // of With
	prefix string     // of WithGroup
}

// Enabled returns true: the other side chooses.
func (h *callHandler) Enabled(context.Context, slog.Level) bool { return true }

// Handle sends a record.
func (h *callHandler) Handle(_ context.Context, r slog.Record) error {
	meta := append([]etf.Pair(nil), h.attrs...)
	r.Attrs(func(a slog.Attr) bool {
		meta = appendAttr(meta, h.prefix, a)
		return true
	})
	h.call.Log(Log{Level: levelOf(r.Level), Time: r.Time, Text: r.Message, Meta: lastOfEach(meta)})
	return nil
}

// WithAttrs returns a handler whose records have these attributes too.
func (h *callHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	more := *h
	more.attrs = append([]etf.Pair(nil), h.attrs...)
	for _, a := range attrs {
		more.attrs = appendAttr(more.attrs, h.prefix, a)
	}
	return &more
}

// WithGroup returns a handler whose attributes' names begin with that of the group.
func (h *callHandler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	more := *h
	more.prefix = h.prefix + name + "."
	return &more
}

// appendAttr appends an attribute, or those of a group. Names are binaries: as atoms
// they would be new to an emulator that decodes safely.
func appendAttr(meta []etf.Pair, prefix string, a slog.Attr) []etf.Pair {
	value := a.Value.Resolve()
	if value.Kind() == slog.KindGroup {
		if a.Key != "" {
			prefix += a.Key + "."
		}
		for _, member := range value.Group() {
			meta = appendAttr(meta, prefix, member)
		}
		return meta
	}
	if a.Equal(slog.Attr{}) {
		return meta
	}
	return append(meta, etf.Pair{Key: etf.String(prefix + a.Key), Value: attrTerm(value)})
}

// attrTerm returns an attribute's value as metadata may hold it.
func attrTerm(v slog.Value) etf.Term {
	switch v.Kind() {
	case slog.KindInt64:
		return etf.Int(v.Int64())
	case slog.KindUint64:
		if n := int64(v.Uint64()); n >= 0 {
			return etf.Int(n)
		}
	case slog.KindFloat64:
		if f := v.Float64(); f-f == 0 { // neither infinite nor no number
			return etf.Float(f)
		}
	case slog.KindBool:
		return etf.Bool(v.Bool())
	}
	return etf.String(v.String())
}

// lastOfEach makes a map in which the last of the values with the same name counts.
func lastOfEach(meta []etf.Pair) etf.Term {
	at := make(map[string]int, len(meta))
	kept := meta[:0]
	for _, pair := range meta {
		name, _ := pair.Key.Text()
		if i, ok := at[name]; ok {
			kept[i] = pair
			continue
		}
		at[name] = len(kept)
		kept = append(kept, pair)
	}
	return etf.Map(kept...)
}

// levelOf returns Erlang's name for a level, the opposite of [Log.SlogLevel].
func levelOf(l slog.Level) string {
	switch {
	case l < slog.LevelInfo:
		return "debug"
	case l < slog.LevelInfo+2:
		return "info"
	case l < slog.LevelWarn:
		return "notice"
	case l < slog.LevelError:
		return "warning"
	case l < slog.LevelError+2:
		return "error"
	case l < slog.LevelError+4:
		return "critical"
	case l < slog.LevelError+6:
		return "alert"
	}
	return "emergency"
}
