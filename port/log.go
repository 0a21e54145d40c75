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
	// Time is when the line was written, by the other side's clock, in UTC; or when it
	// came, if the other side names a time outside the years 0 to 9999.
	Time time.Time
	// CallID is the call during which it was written, 0 if there was none.
	CallID uint64
	// Text is the line as it was sent, without its last newline.
	Text string
	// Meta is a map; its keys are atoms or binaries. It is empty if what was sent is
	// nested too deep or has too many elements for package etf.
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
func decodeLog(frame []byte) (Log, error) {
	t, tooMuch, err := decode(frameLog, frame)
	if tooMuch != nil {
		t, err = decodePlain(frame)
	}
	if err != nil {
		return Log{}, err
	}
	level, ok := t.At(1).AtomName()
	if !ok {
		return Log{}, violation(frameLog, 0, errLevel)
	}
	at, ok := logTime(t.At(2))
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
	return Log{Level: level, Time: at, CallID: id, Text: text, Meta: meta}, nil
}

// decodePlain reads a line of log whose metadata is over a limit without it.
func decodePlain(frame []byte) (etf.Term, error) {
	cursor, err := etf.NewCursor(frame)
	if err == nil {
		_, err = cursor.Tuple()
	}
	for range arity(frameLog) - 1 {
		if err == nil {
			err = cursor.Skip()
		}
	}
	if err != nil {
		return etf.Term{}, termViolation(frameLog, 0, err)
	}
	end := cursor.Offset()
	t, err := inside.Decode(append(frame[1:end:end], tagMap, 0, 0, 0, 0))
	if err != nil {
		return etf.Term{}, termViolation(frameLog, 1, err)
	}
	return t, nil
}

// logTime returns the time of a line of log. Anybody can log with a time of his own,
// so one that makes no sense is no reason to lose the line.
func logTime(t etf.Term) (at time.Time, ok bool) {
	switch t.Kind() {
	case etf.KindInt:
		micros, _ := t.Int64()
		at = time.UnixMicro(micros).UTC()
		if year := at.Year(); 0 <= year && year <= 9999 {
			return at, true
		}
	case etf.KindBigInt:
	default:
		return time.Time{}, false
	}
	return time.Now().UTC(), true
}
