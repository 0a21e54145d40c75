package runtimeapi

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
)

// errTooLong marks a body that is longer than is read.
var errTooLong = errors.New("it is too long")

// readBody reads the body of an answer, at most so many bytes of it, into buf's room
// if that is enough. A body that is cut short is an error.
func (c *connection) readBody(h head, buf []byte, most int) ([]byte, error) {
	var err error
	switch {
	case h.chunked:
		buf, err = c.readChunks(buf[:0], most)
	case h.length > int64(most):
		return nil, fmt.Errorf("%w: %d bytes", errTooLong, h.length)
	case h.length >= 0:
		buf = slices.Grow(buf[:0], int(h.length))[:h.length]
		_, err = io.ReadFull(c.in, buf)
	default:
		buf, err = io.ReadAll(io.LimitReader(c.in, int64(most)+1))
		if len(buf) > most {
			return nil, errTooLong
		}
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, err
	}
	return buf, nil
}

// readChunks appends the chunks of a body: https://www.rfc-editor.org/rfc/rfc9112#section-7.1
func (c *connection) readChunks(buf []byte, most int) ([]byte, error) {
	for {
		line, err := c.readLine()
		if err != nil {
			return nil, err
		}
		text, _, _ := bytes.Cut(line, []byte{';'}) // extensions say nothing to us
		text = bytes.TrimRight(text, " \t")
		size, err := strconv.ParseUint(string(text), 16, 63)
		switch {
		case err != nil:
			return nil, fmt.Errorf("%w: the length of a chunk is %.40q", errHTTP, line)
		case size == 0:
			return buf, c.skipTrailers()
		case size > uint64(most-len(buf)):
			return nil, errTooLong
		}
		n := len(buf)
		buf = slices.Grow(buf, int(size))[:n+int(size)]
		if _, err := io.ReadFull(c.in, buf[n:]); err != nil {
			return nil, err
		}
		if line, err = c.readLine(); err != nil {
			return nil, err
		}
		if len(line) > 0 {
			return nil, fmt.Errorf("%w: a chunk is longer than it says", errHTTP)
		}
	}
}

func (c *connection) skipTrailers() error {
	for size := 0; ; {
		line, err := c.readLine()
		if err != nil || len(line) == 0 {
			return err
		}
		if size += len(line); size > maxHead {
			return fmt.Errorf("%w: its trailers have more than %d bytes", errHTTP, maxHead)
		}
	}
}
