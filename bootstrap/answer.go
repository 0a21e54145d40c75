package bootstrap

import (
	"errors"
	"strings"

	"github.com/beamport/beamport/bootstrap/runtimeapi"
)

var (
	errNotTuple = errors.New("it is not a tuple")
	errNotAtom  = errors.New("its first element is not an atom")
	errForm     = errors.New("it is neither {json, Term}, {json, ContentType, Term} nor {body, ContentType, Body}")
)

// answer turns {json, Term}, {json, ContentType, Term} or {body, ContentType, Body}
// into a response. The body is valid until the next call.
func (l *loop) answer(raw []byte) (contentType string, body []byte, err error) {
	form, rest, err := head(raw)
	switch {
	case err != nil:
	case form == "json" && raw[1] == 2:
		return l.answerJSON("application/json", rest)
	case form == "json" && raw[1] == 3:
		if contentType, rest, err = text(rest); err == nil {
			return l.answerJSON(contentType, rest)
		}
	case form == "body" && raw[1] == 3:
		if contentType, rest, err = text(rest); err == nil {
			body, err = bytesOf(rest)
		}
	default:
		err = errForm
	}
	if err != nil {
		return "", nil, failf("Runtime.BadReply", err, "the VM's answer is of an unknown form: %v", err)
	}
	return contentType, body, check(contentType, body)
}

func (l *loop) answerJSON(contentType string, term []byte) (string, []byte, error) {
	body, err := insideJSON.AppendJSON(l.response[:0], term)
	if err != nil {
		return "", nil, failf("Function.BadResult", err, "the handler's result cannot be written as JSON: %s", strings.TrimPrefix(err.Error(), "etfjson: "))
	}
	l.response = keep(body)
	return contentType, body, check(contentType, body)
}

// check refuses what the Runtime API would, or its client.
func check(contentType string, body []byte) error {
	if len(body) > runtimeapi.MaxResponse {
		return failf("Function.ResponseSizeTooLarge", nil,
			"the response has %d bytes, and Lambda takes at most %d", len(body), runtimeapi.MaxResponse)
	}
	for _, c := range []byte(contentType) {
		if c < ' ' || c == 0x7f {
			return failf("Function.BadResult", nil, "the content type %.80q of the handler's result has a control character in it", contentType)
		}
	}
	return nil
}

// head reads the atom that a small tuple starts with, and returns the bytes of
// the elements after it.
func head(raw []byte) (name string, rest []byte, err error) {
	if len(raw) < 2 || raw[0] != tagSmallTuple {
		return "", nil, errNotTuple
	}
	t, n, err := inside.DecodePrefix(raw[2:])
	if err != nil {
		return "", nil, err
	}
	name, ok := t.AtomName()
	if !ok {
		return "", nil, errNotAtom
	}
	return name, raw[2+n:], nil
}

// text reads a binary, and returns the bytes of what follows it.
func text(raw []byte) (text string, rest []byte, err error) {
	t, n, err := inside.DecodePrefix(raw)
	if err != nil {
		return "", nil, err
	}
	text, ok := t.Text()
	if !ok {
		return "", nil, errForm
	}
	return text, raw[n:], nil
}

// bytesOf reads a binary and nothing else.
func bytesOf(raw []byte) ([]byte, error) {
	t, err := inside.Decode(raw)
	if err != nil {
		return nil, err
	}
	body, ok := t.Bytes()
	if !ok {
		return nil, errForm
	}
	return body, nil
}
