package main

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// lambdaAPI is a Runtime API that hands out one event again and again, when it is told
// to, and notes how long each answer takes. It is as lean as it can be: what it costs,
// it costs all.
type lambdaAPI struct {
	listener net.Listener
	todo     chan struct{}
	done     chan answered
	served   sync.WaitGroup

	mu       sync.Mutex
	event    []byte
	last     int
	handed   map[string]time.Time // when each event that is under way was handed out
	wanted   bool                 // the next answer is to be kept
	anything bool                 // the answer may be other than the event
	kept     []byte
	conns    map[net.Conn]bool
}

// answered is the answer to an event.
type answered struct {
	took time.Duration // from the moment before the event was written until the answer was read
	size int
	err  error
}

func newLambdaAPI() (*lambdaAPI, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	a := &lambdaAPI{
		listener: l,
		todo:     make(chan struct{}),
		done:     make(chan answered, 1024),
		handed:   map[string]time.Time{},
		conns:    map[net.Conn]bool{},
	}
	a.served.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			a.mu.Lock()
			a.conns[c] = true
			a.mu.Unlock()
			a.served.Go(func() { a.serve(c) })
		}
	})
	return a, nil
}

func (a *lambdaAPI) address() string { return a.listener.Addr().String() }

func (a *lambdaAPI) close() {
	a.listener.Close()
	close(a.todo)
	a.mu.Lock()
	for c := range a.conns {
		c.Close()
	}
	a.mu.Unlock()
	a.served.Wait()
}

// handOut waits until somebody asks for an event, and has it handed out.
func (a *lambdaAPI) handOut() error {
	select {
	case a.todo <- struct{}{}:
		return nil
	case got := <-a.done:
		return cmp.Or(got.err, errors.New("bench: an answer to no event"))
	case <-time.After(invokePatience):
		return errors.New("bench: nobody asks for an event")
	}
}

func (a *lambdaAPI) setEvent(event []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.event = event
}

// serve answers the requests of one connection.
func (a *lambdaAPI) serve(c net.Conn) {
	defer c.Close()
	r := bufio.NewReaderSize(c, 64<<10)
	var out, body []byte
	for {
		line, length, chunked, err := readRequest(r)
		if err != nil {
			return
		}
		if body, err = readContent(r, body, length, chunked); err != nil {
			return
		}
		switch {
		case strings.HasPrefix(line, "GET /2018-06-01/runtime/invocation/next "):
			if out = a.next(out[:0]); out == nil {
				return
			}
		case strings.HasPrefix(line, "POST /2018-06-01/runtime/invocation/"):
			rest := strings.TrimPrefix(line, "POST /2018-06-01/runtime/invocation/")
			id, verb, _ := strings.Cut(rest, "/")
			a.answer(id, verb, body)
			out = append(out[:0], "HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{\"status\":\"OK\"}"...)
		case strings.HasPrefix(line, "POST /2018-06-01/runtime/init/error "):
			a.done <- answered{err: fmt.Errorf("bench: the function did not start: %s", body)}
			return
		default: // such as the registration of an extension
			out = append(out[:0], "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"...)
		}
		if _, err := c.Write(out); err != nil {
			return
		}
	}
}

// next waits for an event to be handed out, and appends it. Nil is the end.
func (a *lambdaAPI) next(out []byte) []byte {
	if _, ok := <-a.todo; !ok {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.last++
	id := fmt.Sprintf("8476a536-e9f4-11e8-9739-%012d", a.last)
	out = fmt.Appendf(out, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nLambda-Runtime-Aws-Request-Id: %s\r\n"+
		"Lambda-Runtime-Deadline-Ms: %d\r\nLambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:eu-west-1:123456789012:function:hello\r\n"+
		"Lambda-Runtime-Trace-Id: Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1\r\n"+
		"Content-Length: %d\r\n\r\n", id, time.Now().Add(time.Hour).UnixMilli(), len(a.event))
	out = append(out, a.event...)
	a.handed[id] = time.Now()
	return out
}

// answer takes the answer to an event. Each of them is the event, in some form.
func (a *lambdaAPI) answer(id, verb string, body []byte) {
	now := time.Now()
	a.mu.Lock()
	start, ok := a.handed[id]
	delete(a.handed, id)
	size := len(a.event)
	if a.wanted {
		a.wanted, a.kept = false, bytes.Clone(body)
	}
	a.mu.Unlock()
	got := answered{took: now.Sub(start), size: len(body)}
	switch {
	case !ok:
		got.err = fmt.Errorf("bench: an answer to an invocation that is not under way, %s", id)
	case !strings.HasPrefix(verb, "response "):
		got.err = fmt.Errorf("bench: the function failed: %.200s", body)
	case a.anything:
	case len(body) < size*9/10 || len(body) > size*11/10+2:
		got.err = fmt.Errorf("bench: an answer of %d bytes to an event of %d: %.200s", len(body), size, body)
	}
	a.done <- got
}

// invokePatience is how long a function may take to start, or to answer.
const invokePatience = 30 * time.Second

// invoke has n events answered, so many at a time, and returns how long each took. One
// of the answers is held against the event.
func (a *lambdaAPI) invoke(n, inFlight int) ([]float64, error) {
	a.mu.Lock()
	a.wanted = true
	a.mu.Unlock()
	took, err := a.answers(n, inFlight)
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	var event, answer any
	if err := errors.Join(json.Unmarshal(a.event, &event), json.Unmarshal(a.kept, &answer)); err != nil {
		return nil, fmt.Errorf("bench: an answer that is not JSON: %w", err)
	}
	if !reflect.DeepEqual(event, answer) {
		return nil, fmt.Errorf("bench: an answer that is not the event: %.200s", a.kept)
	}
	return took, nil
}

func (a *lambdaAPI) answers(n, inFlight int) ([]float64, error) {
	took := make([]float64, 0, n)
	late := time.NewTimer(invokePatience)
	defer late.Stop()
	for sent := 0; len(took) < n; {
		var todo chan<- struct{}
		if sent < n && sent-len(took) < inFlight {
			todo = a.todo
		}
		select {
		case todo <- struct{}{}:
			sent++
		case got := <-a.done:
			if got.err != nil {
				return nil, got.err
			}
			took = append(took, float64(got.took.Nanoseconds()))
			late.Reset(invokePatience)
		case <-late.C:
			return nil, errors.New("bench: nobody asks for an event, or answers one")
		}
	}
	return took, nil
}

// readRequest reads the head of a request.
func readRequest(r *bufio.Reader) (line string, length int, chunked bool, err error) {
	first, err := r.ReadSlice('\n')
	if err != nil {
		return "", 0, false, err
	}
	line = string(first)
	for {
		field, err := r.ReadSlice('\n')
		if err != nil {
			return "", 0, false, err
		}
		field = bytes.TrimRight(field, "\r\n")
		if len(field) == 0 {
			return line, length, chunked, nil
		}
		name, value, _ := bytes.Cut(field, []byte(":"))
		switch {
		case bytes.EqualFold(name, []byte("Content-Length")):
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil || length < 0 {
				return "", 0, false, fmt.Errorf("bench: the length %q", value)
			}
		case bytes.EqualFold(name, []byte("Transfer-Encoding")):
			chunked = true
		}
	}
}

// readContent reads a body into buf, as far as there is room.
func readContent(r *bufio.Reader, buf []byte, length int, chunked bool) ([]byte, error) {
	if chunked {
		return readChunked(r, buf[:0])
	}
	body := slices.Grow(buf[:0], length)[:length]
	_, err := io.ReadFull(r, body)
	return body, err
}

func readChunked(r *bufio.Reader, body []byte) ([]byte, error) {
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return nil, err
		}
		size, err := strconv.ParseUint(string(bytes.TrimSpace(line)), 16, 31)
		if err != nil {
			return nil, err
		}
		if size == 0 {
			return body, skipTrailers(r)
		}
		n := len(body)
		body = slices.Grow(body, int(size)+2)[:n+int(size)+2] // and the line's end
		if _, err := io.ReadFull(r, body[n:]); err != nil {
			return nil, err
		}
		body = body[:n+int(size)]
	}
}

func skipTrailers(r *bufio.Reader) error {
	for {
		line, err := r.ReadSlice('\n')
		if err != nil || len(bytes.TrimSpace(line)) == 0 {
			return err
		}
	}
}
