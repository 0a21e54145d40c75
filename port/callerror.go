package port

import (
	"errors"
	"fmt"

	"github.com/beamport/beamport/etf"
)

// A CallError is the other side's answer to a call that failed there. The
// connection and the other side live on.
type CallError struct {
	ID     uint64   // of the call
	Class  string   // error, exit or throw as in Erlang's catch, or returned
	Reason etf.Term // a map with atom keys, type and message among them
	Stack  []string // innermost call first, as "file:line: Module.function/arity"
}

// Error names the call, the class and the type. It leaves out the message, which
// may quote what the call was about.
func (e *CallError) Error() string {
	if t := e.Type(); t != "" {
		return fmt.Sprintf("port: call %d failed with %s %s", e.ID, e.Class, t)
	}
	return fmt.Sprintf("port: call %d failed with %s", e.ID, e.Class)
}

// Type returns the reason's type, such as "Runtime.BadHandler", or "" if it has none.
func (e *CallError) Type() string { return e.text("type") }

// Message returns the reason's message, or "" if it has none. It is the other
// side's text and may quote data of the call.
func (e *CallError) Message() string { return e.text("message") }

func (e *CallError) text(key string) string {
	value, _ := e.Reason.GetAtom(key)
	text, _ := value.Text()
	return text
}

var (
	errClass  = errors.New("the class is not an atom")
	errReason = errors.New("the reason is not a map")
	errStack  = errors.New("the stack is not a list of binaries")
)

// decodeError reads {error, Id, Class, Reason, Stack}, of which next is the offset of
// the id. What the call fails with is a [*CallError] unless that is over a limit.
func decodeError(frame []byte, next int) (id uint64, failure, err error) {
	if id, _, err = parseID(frameError, frame, next); err != nil {
		return 0, nil, err
	}
	t, tooMuch, err := decode(frameError, frame)
	switch {
	case err != nil:
		return 0, nil, err
	case tooMuch != nil:
		return id, overLimit(frameError, id, tooMuch), nil
	}
	failure, err = callError(id, t)
	return id, failure, err
}

// callError makes a failure of a whole error frame.
func callError(id uint64, t etf.Term) (*CallError, error) {
	failure := &CallError{ID: id, Reason: t.At(3)}
	var ok bool
	if failure.Class, ok = t.At(2).AtomName(); !ok {
		return nil, violation(frameError, 0, errClass)
	}
	if failure.Reason.Kind() != etf.KindMap {
		return nil, violation(frameError, 0, errReason)
	}
	stack := t.At(4)
	if stack.Kind() != etf.KindList {
		return nil, violation(frameError, 0, errStack)
	}
	for line := range stack.All() {
		text, ok := line.Text()
		if !ok {
			return nil, violation(frameError, 0, errStack)
		}
		failure.Stack = append(failure.Stack, text)
	}
	return failure, nil
}
