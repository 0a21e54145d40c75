package port

import (
	"errors"
	"time"

	"github.com/beamport/beamport/etf"
)

// A Log is a line of log that the other side sent.
type Log struct {
	// Level is one of Erlang's: emergency, alert, critical, error, warning, notice,
	// info or debug.
	Level string
	// Time is when the line was written, by the other side's clock, in UTC.
	Time time.Time
	// CallID is the call during which it was written, 0 if there was none.
	CallID uint64
	// Text is the line as it was sent, without its last newline.
	Text string
	// Meta is a map; its keys are atoms or binaries.
	Meta etf.Term
}

// isLevel reports whether it is one of Erlang's.
func isLevel(name string) bool {
	switch name {
	case "emergency", "alert", "critical", "error", "warning", "notice", "info", "debug":
		return true
	}
	return false
}

var (
	errLevel = errors.New("the level is not an atom")
	errTime  = errors.New("the time is not an integer")
	errLogID = errors.New("the id is neither an id nor nil")
	errText  = errors.New("the text is not a binary")
	errMeta  = errors.New("the metadata is not a map")
)

// decodeLog reads {log, Level, Time, Id, Text, Meta}.
func (c *Conn) decodeLog(frame []byte) (Log, error) {
	t, err := c.decode(frameLog, frame)
	if err != nil {
		return Log{}, err
	}
	level, ok := t.At(1).AtomName()
	if !ok {
		return Log{}, violation(frameLog, 0, errLevel)
	}
	micros, ok := t.At(2).Int64()
	if !ok {
		return Log{}, violation(frameLog, 0, errTime)
	}
	id, ok := t.At(3).Uint64()
	if !ok && !t.At(3).IsNil() {
		return Log{}, violation(frameLog, 0, errLogID)
	}
	text, ok := t.At(4).Text()
	if !ok {
		return Log{}, violation(frameLog, 0, errText)
	}
	meta := t.At(5)
	if meta.Kind() != etf.KindMap {
		return Log{}, violation(frameLog, 0, errMeta)
	}
	return Log{Level: level, Time: time.UnixMicro(micros).UTC(), CallID: id, Text: text, Meta: meta}, nil
}
