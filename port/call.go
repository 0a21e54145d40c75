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
	// Term is the request, unless Raw is given. A BEAM makes no atoms of what it
	// reads: if the request names one that does not exist there, or holds a function
	// that does not, the call fails with a [*CallError] of type "Runtime.UnknownAtom"
	// or "Runtime.UnknownFunction". So text belongs in binaries ([etf.String]), and
	// atoms are for what the code on the other side names.
	Term etf.Term
	// Raw is the request as one encoded term without the version byte. It is not
	// checked: if it is anything else, the other side ends the connection. It has to
	// stay as it is until [Conn.Do] or [Conn.Stream] returns, and is not used after
	// that.
	Raw []byte
	// OnLog is given the call's log lines, in order, each before the final frame
	// is handed out, so that all were given when Do returns an answer. If Do returns
	// because its context ended, lines may follow until the final frame has come; and
	// after that those of processes that the call has left behind, as long as it is one
	// of the last few calls.
	//
	// It is called by the goroutine that reads: while it runs, nothing else is
	// received, so it has to return soon and must not wait for another call. Nil
	// stands for [Options.OnLog].
	OnLog func(Log)
	// Buf is memory for the answer of [Conn.Do], or the first frame of that of
	// [Conn.Stream], if there is some to spare: it belongs to the Conn until that
	// returns, and the reply or the head may lie in it. Nil is for new memory.
	Buf []byte
	// ID is where the call's id is put, for [Conn.Gone]; 0 if it was given none. Nil is
	// for nowhere.
	ID *uint64
	// Window is, for [Conn.Stream], how many bytes of the answer the other side may
	// send before they are read; 0 is [DefaultStreamWindow].
	Window int
}

// encoded returns the request's bytes.
func (r *Request) encoded() ([]byte, error) {
	if len(r.Raw) > 0 {
		return r.Raw, nil
	}
	raw, err := etf.EncodeOptions{NoVersion: true}.Encode(r.Term)
	if err != nil {
		return nil, fmt.Errorf("port: encoding a request: %w", err)
	}
	return raw, nil
}

// named puts an id where it was asked for.
func (r *Request) named(id uint64) {
	if r.ID != nil {
		*r.ID = id
	}
}

// A Reply is the answer to a call.
type Reply struct {
	// Raw is one encoded term without the version byte, checked to be one. It
	// belongs to the caller.
	Raw []byte
}

// Term decodes Raw, with the default limits of package etf.
func (r Reply) Term() (etf.Term, error) { return inside.Decode(r.Raw) }

// A call is one that has no final frame so far, or a cast that has no ack.
type call struct {
	id     uint64
	kind   callKind
	size   int  // bytes in the window
	joins  bool // others are in flight
	onLog  func(Log)
	stream *Stream // of a streamCall
	buf    []byte  // memory for the reply of a plainCall, which its caller has given
	out    outgoing
	wake   chan struct{}   // holds a value when the call has ended, unless its caller reads
	ctx    context.Context // of the caller that reads
	head   [40]byte        // memory for the frame's head and tail

	// Guarded by Conn.mu.
	ended     bool // result is set
	abandoned bool // nobody waits for it
	needed    bool // it counts in readTurn.needed
	result    result
	gone      chan struct{} // closed when it is removed, if somebody asked for it
	cancel    *outgoing     // tells the other side that it is abandoned
}

type callKind uint8

const (
	plainCall callKind = iota
	streamCall
	castCall
)

// result is how a call ended.
type result struct {
	raw []byte
	err error
}

func (c *call) errorf(err error) error {
	if c.kind == castCall {
		return fmt.Errorf("port: cast %d: %w", c.id, err)
	}
	return fmt.Errorf("port: call %d: %w", c.id, err)
}

// Do sends a request and waits for the answer. If the window is full
// ([Options.MaxInFlight]) it waits for room first.
//
// The error is a [*CallError] if the other side says that the call failed; a
// [*PacketSizeError] if the request is too long, of which nothing was sent; one of
// package etf if it cannot be encoded, or an [*etf.LimitError] if the answer is
// nested too deep or has too many elements; ctx's if ctx ends first; [Conn.Err] itself
// if the connection has ended before the call had an id, and nothing was sent; or an
// error that names the id and wraps Conn.Err if the connection ends later, in which case
// nobody knows whether the call was done.
//
// When ctx ends, Do returns at once. If the request was still waiting to be sent, it
// never will be; otherwise the other side is told to cancel it, and its answer is
// dropped when it comes; until then it keeps its place in the window. If both the
// answer and ctx's end are there, the answer counts.
func (c *Conn) Do(ctx context.Context, r Request) (Reply, error) {
	raw, err := r.encoded()
	if err != nil {
		return Reply{}, err
	}
	r.named(0)
	call, err := c.begin(ctx, plainCall, raw, &r, nil)
	if err != nil {
		return Reply{}, err
	}
	r.named(call.id)
	answer, reusable := c.await(ctx, call, r.Buf)
	if reusable {
		c.recycle(call)
	}
	return Reply{Raw: answer.raw}, answer.err
}

// Call is [Conn.Do] for terms; see [Request.Term] for the atoms that they may hold.
func (c *Conn) Call(ctx context.Context, request etf.Term) (etf.Term, error) {
	reply, err := c.Do(ctx, Request{Term: request})
	if err != nil {
		return etf.Term{}, err
	}
	return reply.Term()
}

// Cast sends a message that is not answered. It returns when the message is on its
// way, which does not say that it has been read; if the window is full, it waits for
// room first. The other side acknowledges a cast when it has been dealt with;
// until then it has a place in the window. The errors are those of [Conn.Do]. A message
// that the other side cannot decode, see [Request.Term], is a line of log there.
func (c *Conn) Cast(ctx context.Context, message etf.Term) error {
	raw, err := etf.EncodeOptions{NoVersion: true}.Encode(message)
	if err != nil {
		return fmt.Errorf("port: encoding a cast: %w", err)
	}
	_, err = c.begin(ctx, castCall, raw, &Request{}, nil)
	return err
}

// begin waits for a place in the window, gives a call its id, and sends it. From
// then on it has a result once: by its final frame or by the end of the connection,
// or else abandon took it away.
func (c *Conn) begin(ctx context.Context, kind callKind, raw []byte, r *Request, s *Stream) (*call, error) {
	call, err := c.enter(ctx, kind, len(raw), r, s)
	if err != nil {
		return nil, err
	}
	switch kind {
	case castCall:
		call.out.head = appendCast(call.head[:0], call.id)
	case plainCall:
		call.out.head = appendCall(call.head[:0], call.id)
	case streamCall:
		head := appendStreamCall(call.head[:0], call.id)
		call.out.head, call.out.tail = head, appendID(head[len(head):], uint64(s.window))
	}
	call.out.body = raw
	if err := c.sender.check(call.out.size()); err != nil {
		c.forget(call)
		return nil, call.errorf(err)
	}
	if c.sender.enqueue(&call.out) {
		if call.joins {
			c.sender.pause()
		}
		c.sender.write()
	}
	return call, nil
}

// enter waits for room in the window and makes a call with an id.
func (c *Conn) enter(ctx context.Context, kind callKind, size int, r *Request, s *Stream) (*call, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("port: making a call: %w", err)
	}
	c.mu.Lock()
	if one := c.window.enter(size); one != nil {
		c.mu.Unlock()
		if err := c.awaitRoom(ctx, one); err != nil {
			return nil, err
		}
		c.mu.Lock()
	}
	defer c.mu.Unlock()
	if c.drained != nil || c.endingLocked() {
		c.window.leave(size)
		return nil, c.refuseLocked(ctx)
	}
	if c.lastID == maxID {
		c.window.leave(size)
		return nil, errNoID
	}
	one := c.makeCallLocked()
	c.lastID++
	one.id, one.kind, one.size, one.onLog, one.stream = c.lastID, kind, size, r.OnLog, s
	if kind == plainCall {
		one.buf = r.Buf
	}
	one.joins = len(c.calls) > 0
	c.calls[one.id] = one
	switch kind {
	case castCall:
		c.stats.Casts++
		if !c.reading.taken.Load() {
			c.kickLocked() // nobody else will read the ack
		}
	case streamCall:
		c.stats.Streams++
	default:
		c.stats.Calls++
	}
	return one, nil
}

// makeCallLocked returns a call that nobody has, with its channel.
func (c *Conn) makeCallLocked() *call {
	if n := len(c.spare); n > 0 {
		one := c.spare[n-1]
		c.spare = c.spare[:n-1]
		return one
	}
	return &call{wake: make(chan struct{}, 1)}
}

// refuseLocked returns why no call can be made: the connection has ended or is about
// to, which it waits for. It lets go of the lock meanwhile.
func (c *Conn) refuseLocked(ctx context.Context) error {
	if !c.endingLocked() {
		return ErrClosed // Shutdown
	}
	if c.err == nil {
		c.mu.Unlock()
		select {
		case <-c.done:
		case <-ctx.Done():
		}
		c.mu.Lock()
	}
	if c.err == nil {
		return fmt.Errorf("port: making a call: %w", ctx.Err())
	}
	return c.err
}

// await waits for the end of a call, or of ctx. reusable says that nobody else will
// look at the call again.
func (c *Conn) await(ctx context.Context, call *call, buf []byte) (answer result, reusable bool) {
	if answer, ok := c.lead(ctx, call, buf); ok {
		return answer, true
	}
	select {
	case <-call.wake:
		return call.result, true
	case <-ctx.Done():
	}
	if c.abandon(call) {
		return result{err: call.errorf(ctx.Err())}, false
	}
	<-call.wake
	return call.result, false
}

// spareCalls is how many calls that have ended are kept for others.
const spareCalls = 64

// recycle keeps a call for another one, if its frame has left.
func (c *Conn) recycle(one *call) {
	if !one.out.let() {
		return
	}
	*one = call{wake: one.wake}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.spare) < spareCalls {
		c.spare = append(c.spare, one)
	}
}

// forget takes away a call of which the other side has not heard.
func (c *Conn) forget(call *call) {
	c.mu.Lock()
	back := c.reclaimLocked(call)
	if c.calls[call.id] != nil {
		c.removeLocked(call)
	}
	c.mu.Unlock()
	if back != nil {
		<-back
	}
}

// abandon says that nobody waits for a call any more. It reports false if the call
// has its result already. Otherwise the other side is told, and the id stays known
// until its final frame comes; or the request is not sent at all.
func (c *Conn) abandon(call *call) bool {
	unsent := c.sender.withdraw(&call.out)
	c.mu.Lock()
	if call.ended {
		c.mu.Unlock()
		return false
	}
	back := c.reclaimLocked(call)
	if unsent {
		c.removeLocked(call)
	} else {
		c.abandonLocked(call)
	}
	c.mu.Unlock()
	if !unsent {
		c.sender.send(call.cancel)
	}
	if back != nil {
		<-back
	}
	return true
}

// abandonLocked keeps a call, of which the other side may have heard, until its final
// frame comes.
func (c *Conn) abandonLocked(call *call) {
	call.abandoned = true
	c.stats.Abandoned++
	c.letLocked(call)
	call.cancel = &outgoing{head: appendCancel(nil, call.id)}
	if !c.reading.taken.Load() {
		c.kickLocked()
	}
}

// removeLocked takes a call out of those in flight.
func (c *Conn) removeLocked(call *call) {
	delete(c.calls, call.id)
	call.goneLocked()
	c.window.leave(call.size)
	c.letLocked(call)
	if c.drained != nil && len(c.calls) == 0 {
		c.drainedLocked()
	}
}

// isGone is what [Conn.Gone] returns of calls that are.
var isGone = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// Gone returns a channel that is closed when the other side has nothing more to do with
// a call: its final frame has come, the request was never sent, or the connection has
// ended. Of a call that was given up this says that what did it has ended. id is what
// [Request.ID] was given.
func (c *Conn) Gone(id uint64) <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	call := c.calls[id]
	if call == nil {
		return isGone
	}
	if call.gone == nil {
		call.gone = make(chan struct{})
	}
	return call.gone
}

// goneLocked tells those who wait for it that the call is gone.
func (c *call) goneLocked() {
	if c.gone != nil {
		close(c.gone)
		c.gone = nil
	}
}

// deliver ends a call with its final frame.
func (c *Conn) deliver(kind string, id uint64, r result) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	call := c.calls[id]
	if call == nil {
		c.stats.Unknown++
		return nil
	}
	if err := call.accepts(kind); err != nil {
		return violation(kind, 0, err)
	}
	c.removeLocked(call)
	if call.onLog != nil {
		c.late[c.lateNext] = lateLog{id, call.onLog}
		c.lateNext = (c.lateNext + 1) % len(c.late)
	}
	switch {
	case call.abandoned:
		c.stats.Abandoned--
		c.stats.Late++
		c.sender.withdraw(call.cancel)
	case call.kind == castCall:
	default:
		c.answered = true
		r.raw = c.ownLocked(r.raw, call)
		if c.reading.lent == call {
			c.reading.lent = nil // before somebody else has the call
		}
		call.endLocked(r, c.reading.leader == call)
	}
	return nil
}

// What may be wrong with a frame for the call that it names.
var (
	errNotAsked = errors.New("the call has no credit")
	errHeads    = errors.New("a second head")
	errHeadless = errors.New("no head came before")
	errHeaded   = errors.New("a head came before")
	errCast     = errors.New("the id is a cast's")
	errNotCast  = errors.New("the id is a call's")
)

// accepts returns what is wrong with a final frame of that kind for the call.
func (c *call) accepts(kind string) error {
	switch {
	case c.kind == castCall && kind != frameAck:
		return errCast
	case c.kind != castCall && kind == frameAck:
		return errNotCast
	case kind == frameDone && c.kind != streamCall:
		return errNotAsked
	case kind == frameDone && !c.stream.headed:
		return errHeadless
	case kind == frameReply && c.kind == streamCall && c.stream.headed:
		return errHeaded
	}
	return nil
}

// begunLocked says that the answer has begun to come.
func (c *call) begunLocked() bool { return c.ended || c.stream != nil && c.stream.headed }

// endLocked gives the call its result. leading says that its caller reads, and need
// not be woken.
func (c *call) endLocked(r result, leading bool) {
	c.ended, c.result = true, r
	if c.stream != nil {
		c.stream.wakeLocked()
		return
	}
	if !leading {
		c.wake <- struct{}{} // there is room, whether anybody waits or not
	}
}

// lateCalls is how many calls that have ended may still be given lines of log.
const lateCalls = 64

// lateLog is who is given the lines of a call that has ended.
type lateLog struct {
	id    uint64
	onLog func(Log)
}

// logOf returns who is to be given the log lines of a call, or of none.
func (c *Conn) logOf(id uint64) func(Log) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if call := c.calls[id]; call != nil && call.onLog != nil {
		return call.onLog
	}
	if id > 0 {
		for _, late := range c.late {
			if late.id == id {
				return late.onLog
			}
		}
	}
	return c.onLog
}
