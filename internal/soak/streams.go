//go:build linux

package soak

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/port"
)

// Faults of those who read a stream.

// errGivenUp says that a reader has had enough of its stream.
var errGivenUp = errors.New("soak: the stream is given up")

// stream asks for a payload so many times over, as a stream, and reads it. pause is
// called before each read, with how much was read so far; its error ends the stream.
func (s *session) stream(ctx context.Context, q query, window int, pause func(read int) error) (Outcome, error) {
	nonce := s.ledger.Open(q.payload)
	bounded, cancel := context.WithTimeoutCause(ctx, s.bound, errBound)
	defer cancel()
	st, err := s.child.Stream(bounded, port.Request{
		Term:   etf.Tuple(etf.Atom("stream"), etf.Uint(nonce), etf.Int(q.number), etf.Binary(q.payload)),
		Window: window,
	})
	if err != nil {
		return s.failed(ctx, nonce, context.Cause(bounded), err)
	}
	defer st.Close()
	if head, ok := st.Head(); !ok {
		return s.settle(nonce, Mismatched, errors.New("soak: the answer is no stream"))
	} else if t, err := head.Term(); err != nil || t.At(0).String() != fmt.Sprint(nonce) {
		return s.settle(nonce, Mismatched, fmt.Errorf("soak: the head is that of another stream: %v, %w", t, err))
	}
	if err := readRepeated(st, q.payload, int(q.number), pause); err != nil {
		switch {
		case errors.Is(err, errGivenUp):
			return s.settle(nonce, Cancelled, err)
		case errors.Is(err, errOtherBytes):
			return s.settle(nonce, Mismatched, err)
		}
		return s.failed(ctx, nonce, context.Cause(bounded), err)
	}
	var done etf.Term
	reply, err := st.Result()
	if err == nil {
		done, err = reply.Term()
	}
	if err != nil {
		return s.failed(ctx, nonce, context.Cause(bounded), err)
	}
	return s.answered(nonce, done, q.payload)
}

var errOtherBytes = errors.New("soak: the stream has other bytes")

// readRepeated reads n times the payload and then the end.
func readRepeated(from io.Reader, payload []byte, n int, pause func(read int) error) error {
	buf := make([]byte, 32<<10)
	read, total := 0, n*len(payload)
	for {
		if err := pause(read); err != nil {
			return err
		}
		got, err := from.Read(buf)
		for chunk := buf[:got]; len(chunk) > 0; {
			at := read % len(payload)
			part := chunk[:min(len(chunk), len(payload)-at)]
			if !bytes.Equal(part, payload[at:at+len(part)]) {
				return errOtherBytes
			}
			chunk, read = chunk[len(part):], read+len(part)
		}
		switch {
		case err == io.EOF && read == total:
			return nil
		case err == io.EOF || read > total:
			return fmt.Errorf("%w: %d of %d", errOtherBytes, read, total)
		case err != nil:
			return err
		}
	}
}

// slowStreams has streams read slowly, or not at all for a while: whatever else is asked
// meanwhile is answered.
func slowStreams(s *scenario) {
	sess := s.busy(2)
	if sess == nil {
		return
	}
	var readers sync.WaitGroup
	for i := range s.some(8) {
		q := query{number: 1 + s.r.Int64N(40), payload: payloadOf(s.r, 1+s.r.IntN(50<<10))}
		window := 1 + s.r.IntN(100<<10)
		waits := i == 0
		readers.Go(func() {
			s.fire(1)
			sess.stream(s.ctx, q, window, func(read int) error {
				if waits && read == 0 {
					// Its window is full by now, or soon; the others go on.
					for range 20 {
						sess.ask(s.ctx, query{payload: noise[:1000]})
					}
				}
				time.Sleep(200 * time.Microsecond)
				return nil
			})
		})
	}
	if !finished(&readers, 2*s.bound) {
		s.broken("readers are stuck")
	}
	s.finish(sess)
}

// givenUpStreams has streams closed, or their contexts cancelled, in the midst of them.
func givenUpStreams(s *scenario) {
	sess := s.busy(2)
	if sess == nil {
		return
	}
	s.each(s.some(60), 6, func(r *rand.Rand) {
		q := query{number: 1 + r.Int64N(20), payload: payloadOf(r, 1+r.IntN(30<<10))}
		enough := r.IntN(int(q.number) * len(q.payload))
		ctx, cancel := context.WithCancel(s.ctx)
		defer cancel()
		closes := r.IntN(2) == 0
		outcome, _ := sess.stream(ctx, q, 1+r.IntN(64<<10), func(read int) error {
			switch {
			case read < enough:
			case closes:
				return errGivenUp
			default:
				cancel()
			}
			return nil
		})
		if outcome == Cancelled {
			s.fire(1)
		}
	})
	s.finish(sess)
}
