package runtimeapi

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strconv"
)

var (
	errEnded = errors.New("runtimeapi: the response has ended")
	errEarly = errors.New("the Runtime API answered before the response was complete")
)

// A ResponseWriter sends a response in parts: [Client.Stream]. It has to be ended with
// Close, Fail or Abort. Its methods may be called by one goroutine at a time.
type ResponseWriter struct {
	c     *Client
	ctx   context.Context
	name  string
	one   *connection
	early *earlyAnswer
	err   error // why nothing more can be written
	over  bool
}

// Stream begins a response that is sent in parts. contentType may be empty. With
// [ContentTypeHTTP], the first bytes are to be the JSON of the prelude and eight NULs:
// [AppendPrelude].
//
// The head is sent with the first bytes that are written. Lambda takes 200 MB at most,
// and hands them to the caller as they come, if the function is invoked in a way that
// streams.
func (c *Client) Stream(ctx context.Context, inv *Invocation, contentType string) (*ResponseWriter, error) {
	p := post{what: "response", inv: inv, suffix: suffixResponse, contentType: contentType}
	failf := func(err error) (*ResponseWriter, error) {
		return nil, fmt.Errorf("runtimeapi: posting the %s: %w", p.name(), err)
	}
	if !isHeaderValue(contentType) {
		return failf(fmt.Errorf("the content type %.80q has a control character in it", contentType))
	}
	one, err := c.take(ctx)
	var dial *dialError
	if errors.As(err, &dial) && ctx.Err() == nil {
		one, err = c.take(ctx)
	}
	if err != nil {
		return failf(err)
	}
	one.out = c.appendPost(one.out[:0], p)
	one.out = append(one.out, headerResponseMode+": streaming\r\nTransfer-Encoding: chunked\r\n"+
		"Trailer: "+headerErrorType+", "+headerErrorBody+"\r\n\r\n"...)
	return &ResponseWriter{c: c, ctx: ctx, name: p.name(), one: one, early: one.readEarly(nil)}, nil
}

// Write sends a part of the response. An error says that the rest is of no use: what
// the API has to say is what Close or Fail returns.
func (w *ResponseWriter) Write(p []byte) (int, error) {
	switch {
	case w.over:
		return 0, errEnded
	case w.err != nil:
		return 0, w.err
	case len(p) == 0:
		return 0, nil
	}
	b := strconv.AppendInt(w.one.out, int64(len(p)), 16)
	b = append(b, "\r\n"...)
	if w.err = w.send(b, p, crlf); w.err != nil {
		return 0, w.err
	}
	return len(p), nil
}

var crlf = []byte("\r\n")

// send writes slices in one go. What is in the connection's buffer has been sent then.
func (w *ResponseWriter) send(parts ...[]byte) error {
	err := w.one.writeParts(parts...)
	w.one.out = parts[0][:0]
	switch {
	case err == nil:
		return nil
	case w.ctx.Err() != nil:
		err = context.Cause(w.ctx)
	case w.early.came.Load() && errors.Is(err, os.ErrDeadlineExceeded):
		err = errEarly
	}
	return fmt.Errorf("runtimeapi: posting the %s: %w", w.name, err)
}

// Close ends the response and returns what the API has to say of it: see
// [Client.Response].
func (w *ResponseWriter) Close() error { return w.end([]byte("0\r\n\r\n")) }

// Fail ends the response with an error that came when part of it had been sent. The
// API takes note of it, and tells the caller.
func (w *ResponseWriter) Fail(f Failure) error {
	last := appendField([]byte("0\r\n"), headerErrorType, HeaderType(f.Type))
	last = appendField(last, headerErrorBody, base64.StdEncoding.EncodeToString(f.trailer()))
	return w.end(append(last, "\r\n"...))
}

// Abort ends the response without an end: what has been sent is not the whole of it,
// and the API can see that. It may follow a Write that failed.
func (w *ResponseWriter) Abort() {
	if w.over {
		return
	}
	w.over = true
	w.one.close()
	<-w.early.done
}

func (w *ResponseWriter) end(last []byte) error {
	if w.over {
		return errEnded
	}
	w.over = true
	if w.err == nil {
		w.err = w.send(append(w.one.out, last...))
	}
	written := w.err
	if errors.Is(written, errEarly) {
		written = os.ErrDeadlineExceeded
	}
	h, err := w.early.end(written)
	if err == nil {
		err = w.c.settled(w.one, h)
	} else {
		err = failed(w.ctx, w.one, err)
	}
	if err != nil && err != written {
		return fmt.Errorf("runtimeapi: posting the %s: %w", w.name, err)
	}
	return err
}

// AppendPrelude appends what a streamed response of [ContentTypeHTTP] begins with: an
// object of statusCode, headers and cookies, and eight NULs. JSON has no NUL in it.
func AppendPrelude(dst, object []byte) []byte {
	return append(append(dst, object...), make([]byte, preludeNULs)...)
}

// preludeNULs are what ends a prelude.
const preludeNULs = 8
