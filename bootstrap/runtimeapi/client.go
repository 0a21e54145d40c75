// Package runtimeapi is a client of the Lambda Runtime API: it asks for events,
// and posts responses and errors.
package runtimeapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// Client speaks with one Runtime API. Make it with [New]; its methods may be
// called concurrently.
type Client struct {
	base      string
	userAgent string
	http      *http.Client
	transport *http.Transport
}

// New makes a client of the API at a host and port, as AWS_LAMBDA_RUNTIME_API
// names it. userAgent is sent with each request. Nothing is sent yet.
//
// The client uses no proxy, follows no redirect, and sets no time limit of its
// own: between two invocations Lambda stops the whole sandbox inside a request.
func New(address, userAgent string) (*Client, error) {
	if strings.ContainsAny(address, "/?#@ ") || address == "" {
		return nil, fmt.Errorf("runtimeapi: %q is no address of the form host:port", address)
	}
	transport := &http.Transport{
		DialContext:         (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
		DisableCompression:  true,
		MaxIdleConnsPerHost: 64,
		// One Write for each response of up to 64 KiB.
		WriteBufferSize: 64 << 10,
		ReadBufferSize:  64 << 10,
	}
	return &Client{
		base:      "http://" + address,
		userAgent: userAgent,
		transport: transport,
		http: &http.Client{
			Transport:     transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// Close closes the client's idle connections.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// Next waits for the next event, as long as it takes. A failure to connect, an
// answer that is cut short and a status of 500 and more are tried again, twice. An
// event is returned whole or not at all. After an error, which wraps a
// [*StatusError] if the API answered with one, the runtime has to exit.
func (c *Client) Next(ctx context.Context) (*Invocation, error) {
	for try := 1; ; try++ {
		inv, err := c.next(ctx)
		if err == nil {
			return inv, nil
		}
		var status *StatusError
		if try == nextTries || ctx.Err() != nil || errors.As(err, &status) && status.Code < 500 || errors.Is(err, errEvent) {
			return nil, fmt.Errorf("runtimeapi: next invocation: %w", err)
		}
		if err := pause(ctx, time.Duration(try)*50*time.Millisecond); err != nil {
			return nil, fmt.Errorf("runtimeapi: next invocation: %w", err)
		}
	}
}

func (c *Client) next(ctx context.Context) (*Invocation, error) {
	resp, err := c.do(ctx, http.MethodGet, pathNext, nil, nil)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, statusError(resp)
	}
	body, err := readEvent(resp)
	if err != nil {
		return nil, err
	}
	return newInvocation(resp.Header, body)
}

// Response posts what the function returned. contentType may be empty. A
// [*StatusError] says what the API had against it; see its methods for what to
// do.
func (c *Client) Response(ctx context.Context, inv *Invocation, contentType string, body []byte) error {
	header := inv.echo()
	if contentType != "" {
		header.Set(headerContentType, contentType)
	}
	return c.post(ctx, "response", inv.RequestID, pathInvocation+inv.RequestID+suffixResponse, header, body)
}

// Error posts that the invocation failed.
func (c *Client) Error(ctx context.Context, inv *Invocation, failure Failure) error {
	header := inv.echo()
	failure.setHeader(header)
	return c.post(ctx, "error", inv.RequestID, pathInvocation+inv.RequestID+suffixError, header, failure.body())
}

// InitError posts that the runtime cannot start. The runtime exits after it.
func (c *Client) InitError(ctx context.Context, failure Failure) error {
	header := http.Header{}
	failure.setHeader(header)
	return c.post(ctx, "init error", "", pathInitError, header, failure.body())
}

// post sends a body, and sends it again, once, if no connection could be made. A
// kept connection that turns out to be closed before any byte was written is
// replaced by the transport. In every other case nobody knows what arrived.
func (c *Client) post(ctx context.Context, what, id, path string, header http.Header, body []byte) error {
	if id != "" {
		what += " of request " + id
	}
	resp, connected, err := c.postOnce(ctx, path, header, body)
	if err != nil && !connected && ctx.Err() == nil {
		resp, _, err = c.postOnce(ctx, path, header, body)
	}
	if err != nil {
		return fmt.Errorf("runtimeapi: posting the %s: %w", what, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("runtimeapi: posting the %s: %w", what, statusError(resp))
	}
	// Read to its end, so that the connection can be used again. The status says
	// all that there is to know.
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxStatusBody))
	return nil
}

func (c *Client) postOnce(ctx context.Context, path string, header http.Header, body []byte) (resp *http.Response, connected bool, err error) {
	var got atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { got.Store(true) },
	})
	resp, err = c.do(ctx, http.MethodPost, path, header, body)
	return resp, got.Load(), err
}

func (c *Client) do(ctx context.Context, method, path string, header http.Header, body []byte) (*http.Response, error) {
	var reader io.Reader
	if method == http.MethodPost {
		reader = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, reader)
	if err != nil {
		return nil, err
	}
	if header != nil {
		req.Header = header
	}
	req.Header.Set(headerUserAgent, c.userAgent)
	return c.http.Do(req)
}

// readEvent reads an event whole, or not at all: part of one is an error.
func readEvent(resp *http.Response) ([]byte, error) {
	switch {
	case resp.ContentLength > MaxEvent:
		return nil, fmt.Errorf("%w: it has %d bytes, and at most %d are read", errEvent, resp.ContentLength, MaxEvent)
	case resp.ContentLength < 0 && len(resp.TransferEncoding) == 0:
		return nil, fmt.Errorf("%w: its length is not given, so that nobody can know whether it is whole", errEvent)
	}
	// One more than is allowed, and room for the read that finds the end, which lets
	// the connection be used again.
	body := make([]byte, 0, max(resp.ContentLength, 0)+1)
	limited := io.LimitReader(resp.Body, MaxEvent+1)
	for {
		if len(body) == cap(body) {
			body = slices.Grow(body, 4<<10)
		}
		n, err := limited.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		switch {
		case len(body) > MaxEvent:
			return nil, fmt.Errorf("%w: it has more than %d bytes", errEvent, MaxEvent)
		case err == io.EOF:
			return body, nil
		case err != nil:
			return nil, fmt.Errorf("reading the event: %w", err)
		}
	}
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
