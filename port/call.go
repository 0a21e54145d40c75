package port

import (
	"context"
	"errors"
	"fmt"

	"github.com/beamport/beamport/etf"
)

// maxID is the largest id of a call: 2^59 - 1, the largest integer that fits one
// word on the BEAM.
const maxID = 1<<59 - 1

var errNoID = errors.New("port: no ids left")

// A Request is what a call asks for.
type Request struct {
	// Term is the request, unless Raw is given.
	Term etf.Term
	// Raw is the request as one encoded term without the version byte. It is not
	// checked: if it is anything else, the other side ends the connection. It has to
	// stay as it is until [Conn.Do] returns, and is not used after that.
	Raw []byte
	// OnLog is given the call's log lines, in order, each before the final frame
	// is handed out, so that all were given when Do returns an answer. If Do returns
	// because its context ended, lines may follow until the final frame has come.
	//
	// It is called by the goroutine that reads: while it runs, nothing else is
	// received, so it has to return soon and must not wait for another call. Nil
	// stands for [Options.OnLog].
	OnLog func(Log)
}

// A Reply is the answer to a call.
type Reply struct {
	// Raw is one encoded term without the version byte, checked to be one. It
	// belongs to the caller.
	Raw []byte
}

// Term decodes Raw, with the default limits of package etf.
func (r Reply) Term() (etf.Term, error) { return inside.Decode(r.Raw) }

// A call is one that has no final frame so far.
type call struct {
	id        uint64
	onLog     func(Log)
	result    chan result // has room for the one result
	abandoned bool        // nobody waits for result; guarded by Conn.mu
	head      [24]byte    // memory for the frame's head
}

// result is how a call ended.
type result struct {
	raw []byte
	err error
}

func (c *call) errorf(err error) error { return fmt.Errorf("port: call %d: %w", c.id, err) }

// Do sends a request and waits for the answer.
//
// The error is a [*CallError] if the other side says that the call failed; a
// [*PacketSizeError] if the request is too long, of which nothing was sent; one of
// package etf if it cannot be encoded, or an [*etf.LimitError] if the answer is
// nested too deep or has too many elements; ctx's if ctx ends first; or that of the
// connection ([Conn.Err]) if it ends first, in which case nobody knows whether
// the call was done. It names the call's id.
//
// When ctx ends, Do returns at once. If the request had not been sent, it never
// will be; otherwise the other side is told to cancel it, and its answer is
// dropped when it comes. If both the answer and ctx's end are there, the answer
// counts.
func (c *Conn) Do(ctx context.Context, r Request) (Reply, error) {
	raw := r.Raw
	if len(raw) == 0 {
		var err error
		if raw, err = (etf.EncodeOptions{NoVersion: true}).Encode(r.Term); err != nil {
			return Reply{}, fmt.Errorf("port: encoding a request: %w", err)
		}
	}
	call, err := c.register(r.OnLog)
	if err != nil {
		return Reply{}, err
	}
	switch err := c.send(ctx, appendCall(call.head[:0], call.id), raw); err {
	case nil, errBroken, errUnfinished:
	default:
		if c.forget(call) {
			return Reply{}, call.errorf(err)
		}
	}
	answer, err := c.wait(ctx, call)
	return Reply{Raw: answer}, err
}

// Call is [Conn.Do] for terms.
func (c *Conn) Call(ctx context.Context, request etf.Term) (etf.Term, error) {
	reply, err := c.Do(ctx, Request{Term: request})
	if err != nil {
		return etf.Term{}, err
	}
	return reply.Term()
}

// Cast sends a message that is not answered. It returns when the message is
// written, which does not say that it has been read; or with ctx's error when ctx
// ends first, and then the message may be sent or not.
func (c *Conn) Cast(ctx context.Context, message etf.Term) error {
	raw, err := etf.EncodeOptions{NoVersion: true}.Encode(message)
	if err != nil {
		return fmt.Errorf("port: encoding a cast: %w", err)
	}
	switch err := c.send(ctx, appendCast(nil), raw); err {
	case nil:
		return nil
	case errUnfinished:
		return fmt.Errorf("port: cast: %w", ctx.Err())
	case errBroken:
		select {
		case <-c.done:
			return c.Err()
		case <-ctx.Done():
			return fmt.Errorf("port: cast: %w", ctx.Err())
		}
	default:
		return fmt.Errorf("port: cast: %w", err)
	}
}

// wait waits for a call that is sent or is never going to be.
func (c *Conn) wait(ctx context.Context, call *call) ([]byte, error) {
	select {
	case r := <-call.result:
		return r.raw, r.err
	case <-ctx.Done():
	}
	if c.abandon(call) {
		return nil, call.errorf(ctx.Err())
	}
	r := <-call.result
	return r.raw, r.err
}

// register gives a call its id. From then on it has a result once: by its final
// frame or by the end of the connection, or else forget or abandon took it away.
func (c *Conn) register(onLog func(Log)) (*call, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return nil, c.err
	}
	if c.lastID == maxID {
		return nil, errNoID
	}
	c.lastID++
	c.stats.Calls++
	call := &call{id: c.lastID, onLog: onLog, result: make(chan result, 1)}
	c.calls[call.id] = call
	return call, nil
}

// forget takes away a call of which the other side has not heard. It reports false
// if the call has its result already.
func (c *Conn) forget(call *call) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.calls[call.id] == nil {
		return false
	}
	delete(c.calls, call.id)
	return true
}

// abandon says that nobody waits for a call any more: the id stays known until its
// final frame comes, and the other side is told. It reports false if the call has
// its result already.
func (c *Conn) abandon(call *call) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.calls[call.id] == nil {
		return false
	}
	call.abandoned = true
	c.stats.Abandoned++
	c.cancels = append(c.cancels, call.id)
	if !c.cancelling {
		c.cancelling = true
		go c.sendCancels()
	}
	return true
}

// deliver ends a call with its final frame.
func (c *Conn) deliver(id uint64, r result) {
	c.mu.Lock()
	call := c.calls[id]
	delete(c.calls, id)
	switch {
	case call == nil:
		c.stats.Unknown++
	case call.abandoned:
		c.stats.Abandoned--
		c.stats.Late++
	}
	c.mu.Unlock()
	if call != nil {
		call.result <- r // there is room, whether anybody waits or not
	}
}

// logOf returns who is to be given the log lines of a call, or of none.
func (c *Conn) logOf(id uint64) func(Log) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if call := c.calls[id]; call != nil && call.onLog != nil {
		return call.onLog
	}
	return c.onLog
}
