// Package runtimeapi is a client of the Lambda Runtime API: it asks for events,
// and posts responses and errors.
package runtimeapi

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Client speaks with one Runtime API. Make it with [New]; its methods may be
// called concurrently.
//
// It has a connection for each request that is under way, and keeps them. A kept
// connection that the other side has closed is replaced before anything is sent on it.
type Client struct {
	address   string
	userAgent atomic.Pointer[string]
	dial      func(context.Context) (net.Conn, error)
	alone     bool

	mu   sync.Mutex
	idle []*connection // last used last
}

// New makes a client of the API at a host and port, as AWS_LAMBDA_RUNTIME_API
// names it. userAgent is sent with each request. Nothing is sent yet.
//
// The client uses no proxy, follows no redirect, and sets no time limit of its
// own: between two invocations Lambda stops the whole sandbox inside a request.
func New(address, userAgent string) (*Client, error) {
	if strings.ContainsAny(address, "/?#@ ") || address == "" || !isHeaderValue(address) {
		return nil, fmt.Errorf("runtimeapi: %q is no address of the form host:port", address)
	}
	target := address
	if _, _, err := net.SplitHostPort(address); err != nil {
		target = net.JoinHostPort(address, "80")
	}
	dialer := &net.Dialer{Timeout: dialTimeout}
	c := &Client{
		address: address,
		dial:    func(ctx context.Context) (net.Conn, error) { return dialer.DialContext(ctx, "tcp", target) },
	}
	if err := c.SetUserAgent(userAgent); err != nil {
		return nil, err
	}
	return c, nil
}

// SetUserAgent has another one sent from now on.
func (c *Client) SetUserAgent(userAgent string) error {
	if !isHeaderValue(userAgent) {
		return fmt.Errorf("runtimeapi: the user agent %q has a control character in it", userAgent)
	}
	c.userAgent.Store(&userAgent)
	return nil
}

// Alone says that the program makes one request at a time and has nothing else to do
// meanwhile. Its thread waits for an answer by itself for a millisecond, then, out of
// the scheduler's sight, which gets the answer to it sooner. On Linux only. It has to be
// called before the first request.
func (c *Client) Alone() { c.alone = true }

// Close closes the connections that are not in use. The next request makes a new one:
// so it is also what a runtime does that was restored from a snapshot.
func (c *Client) Close() {
	c.mu.Lock()
	idle := c.idle
	c.idle = nil
	c.mu.Unlock()
	for _, one := range idle {
		one.close()
	}
}

// Next waits for the next event, as long as it takes. The event is read into buf's
// room if that is enough; buf may be nil.
//
// A failure to connect and an answer that is cut short are tried again, twice. An event
// is returned whole or not at all. After an error, which wraps a [*StatusError] if the
// API answered with one, the runtime has to exit.
func (c *Client) Next(ctx context.Context, buf []byte) (*Invocation, error) {
	for try := 1; ; try++ {
		inv, err := c.next(ctx, buf)
		if err == nil {
			return inv, nil
		}
		var status *StatusError
		if try == nextTries || ctx.Err() != nil || errors.As(err, &status) || errors.Is(err, errEvent) {
			return nil, fmt.Errorf("runtimeapi: next invocation: %w", err)
		}
		if err := pause(ctx, time.Duration(try)*50*time.Millisecond); err != nil {
			return nil, fmt.Errorf("runtimeapi: next invocation: %w", err)
		}
	}
}

func (c *Client) next(ctx context.Context, buf []byte) (*Invocation, error) {
	one, err := c.take(ctx)
	if err != nil {
		return nil, err
	}
	one.out = c.appendHead(one.out[:0], "GET", pathNext)
	one.out = append(one.out, "\r\n"...)
	inv := &Invocation{}
	h, err := one.exchange(nil, inv.field)
	if err != nil {
		return nil, failed(ctx, one, err)
	}
	if h.status != 200 {
		return nil, c.refused(one, h)
	}
	if h.length < 0 && !h.chunked {
		one.close()
		return nil, fmt.Errorf("%w: its length is not given, so that nobody can know whether it is whole", errEvent)
	}
	inv.Event, err = one.readBody(h, buf, MaxEvent)
	if errors.Is(err, errTooLong) {
		one.close()
		return nil, fmt.Errorf("%w: it has more than %d bytes", errEvent, MaxEvent)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the event: %w", failed(ctx, one, err))
	}
	c.give(one, h)
	return inv, inv.check()
}

// appendHead appends the request line and the fields that every request has.
func (c *Client) appendHead(b []byte, method, path string) []byte {
	b = append(append(b, method...), ' ')
	b = append(append(b, path...), " HTTP/1.1\r\nHost: "...)
	b = append(append(b, c.address...), "\r\nUser-Agent: "...)
	return append(append(b, *c.userAgent.Load()...), "\r\n"...)
}

func appendField(b []byte, name, value string) []byte {
	b = append(append(b, name...), ": "...)
	return append(append(b, value...), "\r\n"...)
}

// isHeaderValue says whether a text may stand in the head of a request.
func isHeaderValue(s string) bool {
	for _, c := range []byte(s) {
		if c < ' ' || c == 0x7f {
			return false
		}
	}
	return true
}

// Response posts what the function returned. contentType may be empty. A
// [*StatusError] says what the API had against it; see its methods for what to
// do.
func (c *Client) Response(ctx context.Context, inv *Invocation, contentType string, body []byte) error {
	return c.post(ctx, post{
		what: "response", inv: inv, suffix: suffixResponse, contentType: contentType, body: body,
	})
}

// Error posts that the invocation failed.
func (c *Client) Error(ctx context.Context, inv *Invocation, failure Failure) error {
	return c.post(ctx, failure.post("error", inv, suffixError))
}

// InitError posts that the runtime cannot start. The runtime exits after it.
func (c *Client) InitError(ctx context.Context, failure Failure) error {
	return c.post(ctx, failure.post("init error", nil, pathInitError))
}

// RestoreNext says that the function is ready for a snapshot, and waits until it has
// been restored from one. It is for AWS_LAMBDA_INITIALIZATION_TYPE=snap-start alone.
// Connections that were there before the snapshot are not used after it; one on which
// an [Extension.Wait] is under way is its caller's to end.
func (c *Client) RestoreNext(ctx context.Context) error {
	c.Close()
	one, err := c.take(ctx)
	if err != nil {
		return fmt.Errorf("runtimeapi: waiting for the restore: %w", err)
	}
	one.out = c.appendHead(one.out[:0], "GET", pathRestoreNext)
	one.out = append(one.out, "\r\n"...)
	h, err := one.exchange(nil, nil)
	switch {
	case err != nil:
		err = failed(ctx, one, err)
	case h.status/100 != 2:
		err = c.refused(one, h)
	default:
		one.close()
		return nil
	}
	return fmt.Errorf("runtimeapi: waiting for the restore: %w", err)
}

// RestoreError posts that the function cannot go on after it was restored. The runtime
// exits after it.
func (c *Client) RestoreError(ctx context.Context, failure Failure) error {
	return c.post(ctx, failure.post("restore error", nil, pathRestoreError))
}

// post is what is posted.
type post struct {
	what        string
	inv         *Invocation // nil if it is about none
	suffix      string      // of the path, or all of it
	contentType string
	fields      []byte // further ones
	body        []byte
}

// name is for messages.
func (p post) name() string {
	if p.inv == nil {
		return p.what
	}
	return p.what + " of request " + p.inv.RequestID
}

func (p post) path() string {
	if p.inv == nil {
		return p.suffix
	}
	return pathInvocation + p.inv.RequestID + p.suffix
}

// appendPost appends the head of a post without the fields that say how long it is.
func (c *Client) appendPost(b []byte, p post) []byte {
	b = c.appendHead(b, "POST", p.path())
	if p.contentType != "" {
		b = appendField(b, headerContentType, p.contentType)
	}
	if p.inv != nil && p.inv.invocationID != "" {
		b = appendField(b, headerInvocationID, p.inv.invocationID)
	}
	return append(b, p.fields...)
}

// post sends a body, and tries once more if no connection could be made. A kept
// connection that turns out to be closed before any byte was written is replaced. In
// every other case nobody knows what arrived.
func (c *Client) post(ctx context.Context, p post) error {
	if !isHeaderValue(p.contentType) {
		return fmt.Errorf("runtimeapi: posting the %s: the content type %.80q has a control character in it", p.name(), p.contentType)
	}
	err := c.postOnce(ctx, p)
	var dial *dialError
	if errors.As(err, &dial) && ctx.Err() == nil {
		err = c.postOnce(ctx, p)
	}
	if err != nil {
		return fmt.Errorf("runtimeapi: posting the %s: %w", p.name(), err)
	}
	return nil
}

func (c *Client) postOnce(ctx context.Context, p post) error {
	one, err := c.take(ctx)
	if err != nil {
		return err
	}
	one.out = c.appendPost(one.out[:0], p)
	one.out = append(one.out, "Content-Length: "...)
	one.out = append(strconv.AppendInt(one.out, int64(len(p.body)), 10), "\r\n\r\n"...)
	h, err := one.exchange(p.body, nil)
	if err != nil {
		return failed(ctx, one, err)
	}
	return c.settled(one, h)
}

// settled reads the answer to a post to its end, so that the connection can be used
// again. The status says all that there is to know.
func (c *Client) settled(one *connection, h head) error {
	if h.status/100 != 2 {
		return c.refused(one, h)
	}
	if _, err := one.readBody(h, nil, maxStatusBody); err != nil {
		one.close()
		return nil
	}
	c.give(one, h)
	return nil
}

// refused makes an error of an answer that is none of those hoped for.
func (c *Client) refused(one *connection, h head) *StatusError {
	body, err := one.readBody(h, nil, maxStatusBody)
	if err != nil {
		one.close()
		return statusError(h.status, nil)
	}
	c.give(one, h)
	return statusError(h.status, body)
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
