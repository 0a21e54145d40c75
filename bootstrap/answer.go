package bootstrap

import (
	"encoding/base64"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/beamport/beamport/bootstrap/runtimeapi"
	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/port"
)

var (
	errNotTuple = errors.New("it is not a tuple")
	errNotAtom  = errors.New("its first element is not an atom")
	errForm     = errors.New("it is none of {json, Term}, {json, ContentType, Term}, {body, ContentType, Body}, {http, Prelude, Body} and {streamed, Head, Body, Done}")
	errHead     = errors.New("it begins neither with {body, ContentType} nor with {http, Prelude}")
)

// An answer is what is posted for an invocation.
type answer struct {
	contentType string
	body        []byte // valid until the next invocation
	// stream is what follows the body, or nil if that is all. It has to be closed.
	stream *port.Stream
}

// form reads the beginning of a tuple whose first element is an atom.
func form(c *etf.Cursor) (name string, arity int, err error) {
	if c.Kind() != etf.KindTuple {
		return "", 0, errNotTuple
	}
	if arity, err = c.Tuple(); err != nil {
		return "", 0, err
	}
	if arity == 0 || c.Kind() != etf.KindAtom {
		return "", 0, errNotAtom
	}
	atom, err := c.Atom()
	return string(atom), arity, err
}

// answerReply turns {json, Term}, {json, ContentType, Term}, {body, ContentType, Body},
// {http, Prelude, Body} or {streamed, Head, Body, Done} into a response.
func (l *loop) answerReply(raw []byte) (answer, error) {
	a, err := l.parseReply(raw)
	if err == nil {
		err = check(a)
	}
	return a, unknownForm(err)
}

// unknownForm makes a failure of an error that is none.
func unknownForm(err error) error {
	var f *FunctionError
	if err == nil || errors.As(err, &f) {
		return err
	}
	return failf("Runtime.BadReply", err, "the VM's answer is of an unknown form: %v", err)
}

func (l *loop) parseReply(raw []byte) (answer, error) {
	c := etf.Raw(raw).Cursor()
	name, arity, err := form(&c)
	if err != nil {
		return answer{}, err
	}
	contentType := "application/json"
	switch {
	case name == "json" && arity == 2:
		return l.answerJSON(contentType, raw[c.Offset():])
	case name == "json" && arity == 3:
		if contentType, err = text(&c); err != nil {
			return answer{}, err
		}
		return l.answerJSON(contentType, raw[c.Offset():])
	case name == "body" && arity == 3:
		if contentType, err = text(&c); err != nil {
			return answer{}, err
		}
		body, err := content(&c)
		return answer{contentType: contentType, body: body}, err
	case name == "http" && arity == 3:
		return l.answerHTTP(&c)
	case name == "streamed" && arity == 4:
		return l.answerStreamed(&c)
	}
	return answer{}, errForm
}

// text reads a binary.
func text(c *etf.Cursor) (string, error) {
	b, err := content(c)
	if string(b) == "application/json" {
		return "application/json", err
	}
	return string(b), err
}

// content reads a binary without copying it.
func content(c *etf.Cursor) ([]byte, error) {
	if c.Kind() != etf.KindBinary {
		return nil, errForm
	}
	return c.Binary()
}

func (l *loop) answerJSON(contentType string, term []byte) (answer, error) {
	body, err := insideJSON.AppendJSON(l.response[:0], term)
	if err != nil {
		return answer{}, badResult(err)
	}
	l.response = keep(body)
	return answer{contentType: contentType, body: body}, nil
}

func badResult(err error) *FunctionError {
	return failf("Function.BadResult", err, "the handler's result cannot be written as JSON: %s", strings.TrimPrefix(err.Error(), "etfjson: "))
}

// answerHTTP makes the object that API Gateway, function URLs and load balancers take
// for an HTTP response, of a prelude and a body that follows it: a binary, or {json,
// Term}.
func (l *loop) answerHTTP(c *etf.Cursor) (answer, error) {
	prelude, err := c.Raw()
	if err != nil {
		return answer{}, err
	}
	if c.Kind() == etf.KindBinary {
		body, err := content(c)
		if err != nil {
			return answer{}, err
		}
		return l.object(prelude, body)
	}
	name, arity, err := form(c)
	if err != nil || name != "json" || arity != 2 {
		return answer{}, errForm
	}
	term, err := c.Raw()
	if err != nil {
		return answer{}, err
	}
	body, err := insideJSON.AppendJSON(l.inner[:0], term)
	if err != nil {
		return answer{}, badResult(err)
	}
	l.inner = keep(body)
	return l.object(prelude, body)
}

// object is a prelude with a body as a string.
func (l *loop) object(prelude, body []byte) (answer, error) {
	b, err := insideJSON.AppendJSON(l.response[:0], prelude)
	if err != nil {
		return answer{}, badResult(err)
	}
	if len(b) < len(`{"a":1}`) || b[0] != '{' {
		return answer{}, errForm
	}
	b = append(b[:len(b)-1], `,"body":"`...)
	if utf8.Valid(body) {
		b = append(appendEscaped(b, body), `","isBase64Encoded":false}`...)
	} else {
		b = append(base64.StdEncoding.AppendEncode(b, body), `","isBase64Encoded":true}`...)
	}
	l.response = keep(b)
	return answer{contentType: "application/json", body: b}, nil
}

// appendEscaped appends text as the inside of a string of JSON.
func appendEscaped[T []byte | string](dst []byte, text T) []byte {
	const hex = "0123456789abcdef"
	from := 0
	for i := range len(text) {
		c := text[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, text[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	return append(dst, text[from:]...)
}

// answerStreamed takes a streamed answer that came in one piece, because streaming was
// not asked for.
func (l *loop) answerStreamed(c *etf.Cursor) (answer, error) {
	begin, err := c.Raw()
	if err != nil {
		return answer{}, err
	}
	body, err := content(c)
	if err != nil {
		return answer{}, err
	}
	contentType, prelude, err := parseHead(begin)
	if err != nil {
		return answer{}, err
	}
	if prelude != nil {
		return l.object(prelude, body)
	}
	return answer{contentType: contentType, body: body}, nil
}

// parseHead reads what a streamed answer begins with: {body, ContentType} or {http,
// Prelude}.
func parseHead(begin []byte) (contentType string, prelude []byte, err error) {
	c := etf.Raw(begin).Cursor()
	name, arity, err := form(&c)
	switch {
	case err != nil:
	case name == "body" && arity == 2:
		contentType, err = text(&c)
	case name == "http" && arity == 2:
		prelude, err = c.Raw()
	default:
		err = errHead
	}
	return contentType, prelude, err
}

// answerStream begins a streamed response: the content type, and the prelude of an HTTP
// response as the first bytes of the body.
func (l *loop) answerStream(begin []byte, stream *port.Stream) (answer, error) {
	contentType, prelude, err := parseHead(begin)
	if err != nil {
		return answer{}, unknownForm(err)
	}
	a := answer{contentType: contentType, stream: stream}
	if prelude != nil {
		if l.inner, err = insideJSON.AppendJSON(l.inner[:0], prelude); err != nil {
			return answer{}, badResult(err)
		}
		l.response = runtimeapi.AppendPrelude(l.response[:0], l.inner)
		a.contentType, a.body = runtimeapi.ContentTypeHTTP, l.response
	}
	return a, checkContentType(a.contentType)
}

// check refuses what the Runtime API would, or its client.
func check(a answer) error {
	if len(a.body) > runtimeapi.MaxResponse {
		return failf("Function.ResponseSizeTooLarge", nil,
			"the response has %d bytes, and Lambda takes at most %d", len(a.body), runtimeapi.MaxResponse)
	}
	return checkContentType(a.contentType)
}

// maxContentType bounds a content type: an HTTP server refuses a head that is too long,
// and the runtime could not tell the caller why.
const maxContentType = 1 << 10

func checkContentType(contentType string) error {
	if len(contentType) > maxContentType {
		return failf("Function.BadResult", nil, "the content type of the handler's result has %d bytes, and may have at most %d",
			len(contentType), maxContentType)
	}
	for _, c := range []byte(contentType) {
		if c < ' ' || c == 0x7f {
			return failf("Function.BadResult", nil, "the content type %.80q of the handler's result has a control character in it", contentType)
		}
	}
	return nil
}
