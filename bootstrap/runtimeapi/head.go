package runtimeapi

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// maxHead bounds the lines of an answer's head together.
const maxHead = 256 << 10

// errHTTP marks what is not HTTP/1.1.
var errHTTP = errors.New("malformed HTTP response")

// head is what an answer begins with: https://www.rfc-editor.org/rfc/rfc9112
type head struct {
	status  int
	length  int64 // of the body, -1 if not given
	chunked bool
	close   bool // the connection ends with this answer
}

// readHead reads the head of an answer, past those that only say that another one
// follows. The names given to field are in lower case; the slices are valid during
// the call.
func (c *connection) readHead(field func(name, value []byte)) (head, error) {
	for {
		h, err := c.readOneHead(field)
		if err != nil || h.status >= 200 {
			return h, err
		}
		if h.status == 101 {
			return head{}, fmt.Errorf("%w: it switches to another protocol", errHTTP)
		}
	}
}

func (c *connection) readOneHead(field func(name, value []byte)) (head, error) {
	if c.in.Buffered() == 0 {
		c.wait.Readable()
	}
	line, err := c.readLine()
	if err != nil {
		return head{}, err
	}
	h, err := parseStatus(line)
	if err != nil {
		return head{}, err
	}
	for size := 0; ; {
		line, err := c.readLine()
		switch {
		case err == io.EOF:
			return head{}, io.ErrUnexpectedEOF
		case err != nil:
			return head{}, err
		case len(line) == 0:
			return h, h.complete()
		}
		if size += len(line); size > maxHead {
			return head{}, fmt.Errorf("%w: its head has more than %d bytes", errHTTP, maxHead)
		}
		name, value, err := parseField(line)
		if err != nil {
			return head{}, err
		}
		if err := h.note(name, value); err != nil {
			return head{}, err
		}
		if field != nil {
			field(name, value)
		}
	}
}

// readLine reads a line without its end. It is valid until the next read. io.EOF
// says that there is not a byte of it.
func (c *connection) readLine() ([]byte, error) {
	line, err := c.in.ReadSlice('\n')
	switch {
	case err == nil:
	case errors.Is(err, io.EOF) && len(line) > 0:
		return nil, io.ErrUnexpectedEOF
	case len(line) == c.in.Size():
		return nil, fmt.Errorf("%w: a line of its head has more than %d bytes", errHTTP, len(line))
	default:
		return nil, err
	}
	line = line[:len(line)-1]
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	return line, nil
}

// parseStatus reads HTTP/1.1 200 OK.
func parseStatus(line []byte) (head, error) {
	version, rest, _ := bytes.Cut(line, []byte{' '})
	code, _, _ := bytes.Cut(rest, []byte{' '})
	h := head{length: -1}
	switch string(version) {
	case "HTTP/1.1":
	case "HTTP/1.0":
		h.close = true
	default:
		return head{}, fmt.Errorf("%w: it begins with %.40q", errHTTP, line)
	}
	if len(code) != 3 || code[0] < '1' || code[0] > '9' || !digits(code) {
		return head{}, fmt.Errorf("%w: its status is %.40q", errHTTP, code)
	}
	h.status = int(code[0]-'0')*100 + int(code[1]-'0')*10 + int(code[2]-'0')
	return h, nil
}

func digits(b []byte) bool {
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(b) > 0
}

// parseField splits a line of the head, and makes the name's letters small, in
// place.
func parseField(line []byte) (name, value []byte, err error) {
	name, value, ok := bytes.Cut(line, []byte{':'})
	if !ok || len(name) == 0 {
		return nil, nil, fmt.Errorf("%w: a line of its head is %.40q", errHTTP, line)
	}
	for i, c := range name {
		switch {
		case 'A' <= c && c <= 'Z':
			name[i] = c + 'a' - 'A'
		case c <= ' ' || c >= 0x7f:
			return nil, nil, fmt.Errorf("%w: a line of its head is %.40q", errHTTP, line)
		}
	}
	value = bytes.Trim(value, " \t")
	for _, c := range value {
		if c < ' ' && c != '\t' || c == 0x7f {
			return nil, nil, fmt.Errorf("%w: the value of %.40q has a control character in it", errHTTP, name)
		}
	}
	return name, value, nil
}

// note takes in what a field says of the answer's form.
func (h *head) note(name, value []byte) error {
	switch string(name) {
	case "content-length":
		n, err := strconv.ParseInt(string(value), 10, 64)
		if err != nil || !digits(value) || h.length >= 0 && h.length != n {
			return fmt.Errorf("%w: its length is %.40q", errHTTP, value)
		}
		h.length = n
	case "transfer-encoding":
		if h.chunked || !bytes.EqualFold(value, []byte("chunked")) {
			return fmt.Errorf("%w: its encoding is %.40q", errHTTP, value)
		}
		h.chunked = true
	case "connection":
		for option := range bytes.SplitSeq(value, []byte{','}) {
			switch option = bytes.TrimSpace(option); {
			case bytes.EqualFold(option, []byte("close")):
				h.close = true
			case bytes.EqualFold(option, []byte("keep-alive")):
				h.close = false
			}
		}
	}
	return nil
}

// complete says what follows from the head as a whole.
func (h *head) complete() error {
	switch {
	case h.status < 200 || h.status == 204 || h.status == 304:
		h.length, h.chunked = 0, false
	case h.chunked && h.length >= 0:
		return fmt.Errorf("%w: it has both a length and chunks", errHTTP)
	case !h.chunked && h.length < 0:
		h.close = true // the body ends with the connection
	}
	return nil
}
