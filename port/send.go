package port

import (
	"errors"
	"io"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// batchSize is up to how many bytes frames that are waiting are written in one
	// system call.
	batchSize = 64 << 10
	// batchesInCaller is how many batches a caller writes before a goroutine of its
	// own does the rest.
	batchesInCaller = 4
	// vainPauses is how many pauses are left out after one in vain.
	vainPauses = 4
	// maxPart is how much is written at once where it cannot be seen how much of it
	// has gone.
	maxPart = 64 << 10
	// maxQueued is how many bytes wait before those who can wait with more do.
	maxQueued = 4 << 20
	// frameCost is about what a frame that waits takes besides its bytes.
	frameCost = 128
	// maxUnpaced is how many frames of those who cannot wait do.
	maxUnpaced = 16 << 10
)

// longAgo is a deadline that has passed.
var longAgo = time.Unix(1, 0)

// errWouldBlock says that the stream takes no more without waiting.
var errWouldBlock = errors.New("port: write would block")

// A sender writes frames in the order in which they were queued. Whoever finds
// nobody writing writes, as far as that goes without waiting; a goroutine, which
// exists only meanwhile, does the rest. So no caller waits for the other side to
// read, and frames that come together leave together.
type sender struct {
	stream    io.Writer
	packet    Packet
	max       int
	try       func([]byte) (int, error) // writes without waiting; nil where that cannot be had
	wait      func([]byte) (int, error) // writes all, counting in writes
	deadlines writeDeadliner            // breaks off a write; nil where that cannot be had
	failed    func(error)               // told of the error that ends writing
	writes    atomic.Uint64             // that took something

	mu      sync.Mutex
	queue   []*outgoing
	queued  int           // bytes in the queue
	unpaced int           // frames in the queue whose senders did not wait for room
	room    *sync.Cond    // of those who wait for the queue to be shorter, or nil
	writing bool          // somebody takes care of the queue
	closed  bool          // no more frames are taken
	cut     chan struct{} // closed when a long frame's memory is free; nil if nobody waits for that

	// These are changed by whoever writes. long is changed with mu held, so
	// that others may look at it then.
	batch []byte    // memory for batches
	rest  []byte    // of the batch that is being written
	long  *outgoing // whose body follows, in the memory of whoever sent it
	vain  int       // how many pauses are to be left out
}

type writeDeadliner interface{ SetWriteDeadline(time.Time) error }

// outgoing is a frame on its way.
type outgoing struct {
	head, body, tail []byte       // all but the body are short
	unpaced          bool         // its sender did not wait for room
	state            atomic.Int32 // an outState; changes with sender.mu held
}

func (f *outgoing) size() int { return len(f.head) + len(f.body) + len(f.tail) }
func (f *outgoing) cost() int { return f.size() + frameCost }

type outState = int32

const (
	unsent outState = iota
	queued
	started // a part is written or about to be
	copied  // it is not looked at any more
)

func newSender(rwc io.Writer, p Packet, max int, failed func(error)) *sender {
	s := &sender{stream: rwc, packet: p, max: p.limit(max), failed: failed}
	s.try, s.wait = rawWriter(rwc, &s.writes)
	if s.wait == nil {
		s.wait = s.writeParts
	}
	if d, ok := rwc.(writeDeadliner); ok && d.SetWriteDeadline(time.Time{}) == nil {
		s.deadlines = d
	}
	return s
}

// check returns a [*PacketSizeError] if a frame of that many bytes is too long.
func (s *sender) check(size int) error {
	if size > s.max {
		return &PacketSizeError{Size: uint64(size), Max: s.max}
	}
	return nil
}

// send queues a frame, which has been checked, and writes what can be written
// without waiting. Head and body have to stay as they are until withdraw.
func (s *sender) send(f *outgoing) {
	if s.enqueue(f) {
		s.write()
	}
}

// sendUnpaced is send for who cannot wait until there is room. It reports false if so
// many frames of that kind wait that the other side cannot be reading.
func (s *sender) sendUnpaced(f *outgoing) bool {
	s.mu.Lock()
	full := s.unpaced >= maxUnpaced
	s.mu.Unlock()
	if full {
		return false
	}
	f.unpaced = true
	s.send(f)
	return true
}

// sendLatest sends a frame of one head, of which only the latest matters: if f is
// still waiting, it is what is changed.
func (s *sender) sendLatest(f *outgoing, head []byte) {
	s.mu.Lock()
	if f.state.Load() == queued {
		s.queued += len(head) - len(f.head)
		f.head = head
		s.mu.Unlock()
		return
	}
	s.mu.Unlock()
	f.head = head
	s.send(f)
}

// enqueue is the part of send that writes nothing. It reports whether the caller
// has to call write, which is not to be done with a lock held.
func (s *sender) enqueue(f *outgoing) bool {
	if s.deadlines == nil && len(f.body) > batchSize {
		f.body = append([]byte(nil), f.body...) // there would be no way to have it back
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	f.state.Store(queued)
	s.queue = append(s.queue, f)
	s.queued += f.cost()
	if f.unpaced {
		s.unpaced++
	}
	if s.writing {
		return false
	}
	s.writing = true
	return true
}

// pause comes between enqueue and write where others may be about to send: it lets
// them, so that one write takes all. Several callers that have their answers at once are
// such. Where it was in vain, it is left out for a while.
func (s *sender) pause() {
	if s.vain > 0 {
		s.vain--
		return
	}
	runtime.Gosched()
	s.mu.Lock()
	alone := len(s.queue) == 1
	s.mu.Unlock()
	if alone {
		s.vain = vainPauses
	}
}

// write is the part of send that writes.
func (s *sender) write() {
	if s.try != nil {
		for range batchesInCaller {
			more, err := s.writeBatch(s.try)
			if err == errWouldBlock {
				break
			}
			if err != nil && !s.wasCut(err) {
				s.fail(err)
				return
			}
			if !more {
				return
			}
		}
	}
	go s.flush()
}

// flush writes until nothing is left.
func (s *sender) flush() {
	for more := true; more; {
		var err error
		if more, err = s.writeBatch(s.wait); err != nil && !s.wasCut(err) {
			s.fail(err)
			return
		}
	}
}

// writeBatch writes the rest of the batch that was begun, or another one. It
// reports whether there may be more; if not, somebody else may write from now on.
func (s *sender) writeBatch(write func([]byte) (int, error)) (more bool, err error) {
	if len(s.rest) == 0 && s.long == nil && !s.gather() {
		return false, nil
	}
	for len(s.rest) > 0 {
		n, err := write(s.rest)
		s.rest = s.rest[n:]
		if err != nil {
			return true, err
		}
	}
	for s.long != nil { // behind which nothing is waiting but its tail
		var n int
		if len(s.long.body) > 0 {
			n, err = write(s.long.body)
		}
		s.long.body = s.long.body[n:]
		if len(s.long.body) == 0 {
			s.mu.Lock()
			s.endLongLocked()
			s.mu.Unlock()
		}
		if err != nil {
			return true, err
		}
	}
	return true, nil
}

// writeParts writes part by part, so that one can see that it moves.
func (s *sender) writeParts(b []byte) (written int, err error) {
	for written < len(b) && err == nil {
		var n int
		n, err = s.stream.Write(b[written:min(len(b), written+maxPart)])
		if n > 0 {
			s.writes.Add(1)
		}
		written += n
	}
	return written, err
}

// busy reports whether something waits to be written.
func (s *sender) busy() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.writing
}

// gather makes a batch of the frames that are waiting, or reports that there are
// none and that nobody writes any more.
func (s *sender) gather() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) == 0 {
		s.writing = false
		if s.room != nil {
			s.room.Broadcast()
		}
		return false
	}
	batch, taken := s.batch[:0], 0
	for _, f := range s.queue {
		size := f.size()
		if taken > 0 && len(batch)+size > batchSize {
			break
		}
		taken++
		s.leftLocked(f)
		batch = append(s.packet.appendHeader(batch, size), f.head...)
		if size <= batchSize {
			batch = append(append(batch, f.body...), f.tail...)
			f.head, f.body, f.tail = nil, nil, nil
			f.state.Store(copied)
			continue
		}
		first := min(len(f.body), max(0, batchSize-len(batch)))
		batch = append(batch, f.body[:first]...)
		f.head, f.body = nil, f.body[first:]
		f.state.Store(started)
		s.long = f
		break
	}
	rest := copy(s.queue, s.queue[taken:])
	clear(s.queue[rest:])
	s.queue = s.queue[:rest]
	s.batch, s.rest = batch, batch
	if s.room != nil && s.queued < maxQueued {
		s.room.Broadcast()
	}
	return true
}

// awaitRoom waits until the queue is short, or nothing is sent any more.
func (s *sender) awaitRoom() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.queued >= maxQueued && !s.closed {
		s.waitLocked()
	}
}

// awaitSent waits until everything is written, or nothing can be written any more, or
// so much time has passed.
func (s *sender) awaitSent(most time.Duration) {
	late := false
	timer := time.AfterFunc(most, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		late = true
		if s.room != nil {
			s.room.Broadcast()
		}
	})
	defer timer.Stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.writing && !late {
		s.waitLocked()
	}
}

func (s *sender) waitLocked() {
	if s.room == nil {
		s.room = sync.NewCond(&s.mu)
	}
	s.room.Wait()
}

// withdraw takes a frame back: when it returns, the frame's memory is the
// caller's again. It reports whether nothing of the frame was or will be written.
func (s *sender) withdraw(f *outgoing) bool {
	s.mu.Lock()
	switch {
	case f.state.Load() == unsent:
		s.mu.Unlock()
		return true
	case f.state.Load() == queued:
		s.dropLocked(f)
		s.mu.Unlock()
		return true
	case s.long != f || s.deadlines == nil: // send has copied it
		s.mu.Unlock()
		return false
	}
	if s.cut == nil {
		s.cut = make(chan struct{})
		s.deadlines.SetWriteDeadline(longAgo)
	}
	cut := s.cut
	s.mu.Unlock()
	<-cut
	return false
}

// let reports whether a frame and its memory are free.
func (f *outgoing) let() bool { return f.state.Load() == copied }

// leftLocked counts a frame that leaves the queue.
func (s *sender) leftLocked(f *outgoing) {
	s.queued -= f.cost()
	if f.unpaced {
		s.unpaced--
	}
}

// dropLocked takes a frame out of the queue.
func (s *sender) dropLocked(f *outgoing) {
	for i, other := range s.queue {
		if other == f {
			s.queue = append(s.queue[:i], s.queue[i+1:]...)
			s.leftLocked(f)
			f.state.Store(unsent)
			return
		}
	}
}

// wasCut reports whether the error of a write is withdraw's doing. Then what is
// left of the long frame has been copied, and writing can go on.
func (s *sender) wasCut(err error) bool {
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cut == nil {
		return false
	}
	left := append(append([]byte(nil), s.rest...), s.long.body...)
	s.endLongLocked()
	s.rest = append(left, s.rest...)
	return true
}

// endLongLocked lets go of the long frame's memory; its tail is all that is left to
// be written.
func (s *sender) endLongLocked() {
	s.rest = append(s.batch[:0], s.long.tail...)
	s.long.body, s.long.tail = nil, nil
	s.long.state.Store(copied)
	s.long = nil
	if s.cut != nil {
		s.deadlines.SetWriteDeadline(time.Time{})
		close(s.cut)
		s.cut = nil
	}
}

// close makes the sender take no more frames.
func (s *sender) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closeLocked()
}

func (s *sender) closeLocked() {
	s.closed = true
	if s.room != nil {
		s.room.Broadcast()
	}
}

// fail is for whoever writes and cannot go on.
func (s *sender) fail(err error) {
	s.mu.Lock()
	s.writing = false
	s.closeLocked()
	clear(s.queue)
	s.queue = nil
	if s.long != nil {
		s.endLongLocked()
	}
	s.mu.Unlock()
	s.failed(err)
}
