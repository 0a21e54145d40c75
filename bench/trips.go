package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/port"
)

// A trip is a request to another process and its answer, on one transport, of one
// size, so many at a time.
type trip struct {
	transport      string
	size, inFlight int
	hand, conn     []float64 // nanoseconds a round trip, by round
}

func (t trip) name() string {
	return fmt.Sprintf("%s/%s/%d", t.transport, size(t.size), t.inFlight)
}

// trips are those that are measured. 6 MB 64 times take this program about a gigabyte.
func trips() []trip {
	var all []trip
	for _, transport := range []string{"pipes", "unix"} {
		for _, size := range []int{100, 5_000, 1 << 20, 6 << 20} {
			for _, inFlight := range []int{1, 8, 64} {
				all = append(all, trip{transport: transport, size: size, inFlight: inFlight})
			}
		}
	}
	return all
}

// A caller makes n round trips, so many at a time.
type caller func(n, inFlight int) error

// measureTrips lets port.Conn and code written by hand take turns.
func (p plan) measureTrips() (measured []trip, err error) {
	for _, t := range trips() {
		if p.only != nil && !p.only.MatchString("port/"+t.name()) {
			continue
		}
		fmt.Fprintf(p.log, "port %s\n", t.name())
		if err := p.measureTrip(&t); err != nil {
			return nil, fmt.Errorf("bench: port %s: %w", t.name(), err)
		}
		measured = append(measured, t)
	}
	return measured, nil
}

func (p plan) measureTrip(t *trip) (err error) {
	hand, endHand, err := openByHand(t.transport, t.size)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, endHand()) }()
	conn, endConn, err := openConn(t.transport, t.size)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, endConn()) }()
	n := t.inFlight
	for { // as many as fill a turn
		took, err := timed(conn, n, t.inFlight)
		if err != nil {
			return err
		}
		if took >= p.turn/2 {
			n = max(t.inFlight, int(float64(n)*float64(p.turn)/float64(took)))
			break
		}
		n *= 2
	}
	rounds := p.rounds
	if t.inFlight == 1 {
		rounds *= 4 // two processes that take turns are fast or slow as the system places them
	}
	for round := range rounds {
		turns := []struct {
			call    caller
			samples *[]float64
		}{{hand, &t.hand}, {conn, &t.conn}}
		for i := range turns {
			turn := turns[(i+round)%2]
			took, err := timed(turn.call, n, t.inFlight)
			if err != nil {
				return err
			}
			*turn.samples = append(*turn.samples, float64(took.Nanoseconds())/float64(n))
		}
	}
	return nil
}

func timed(call caller, n, inFlight int) (time.Duration, error) {
	start := time.Now()
	err := call(n, inFlight)
	return time.Since(start), err
}

// together has so many goroutines share n round trips.
func together(n, inFlight int, each func() (func() error, error)) error {
	var left atomic.Int64
	left.Store(int64(n))
	ended := make(chan error, inFlight)
	for range inFlight {
		go func() {
			once, err := each()
			for err == nil && left.Add(-1) >= 0 {
				err = once()
			}
			ended <- err
		}()
	}
	var all error
	for range inFlight {
		all = errors.Join(all, <-ended)
	}
	return all
}

// openConn starts the other side and calls it with port.Conn.
func openConn(transport string, size int) (caller, func() error, error) {
	options := port.Options{MaxInFlightBytes: 1 << 30}
	var c *port.Conn
	var end func() error
	if transport == "pipes" {
		p, err := port.Start(context.Background(), port.Command{
			Path: "/proc/self/exe", Env: append(os.Environ(), echoVariable+"=fd"), Options: options,
		})
		if err != nil {
			return nil, nil, err
		}
		c, end = p.Conn(), func() error {
			p.Kill()
			<-p.Done()
			return nil
		}
	} else {
		socket, endSocket, err := openSocket()
		if err != nil {
			return nil, nil, err
		}
		c = port.NewConn(socket, options)
		end = func() error {
			c.Close()
			<-c.Done()
			return endSocket()
		}
	}
	raw, err := etf.EncodeOptions{NoVersion: true}.Encode(etf.Binary(make([]byte, size)))
	if err != nil {
		return nil, nil, errors.Join(err, end())
	}
	ctx := context.Background()
	return func(n, inFlight int) error {
		return together(n, inFlight, func() (func() error, error) {
			buf := make([]byte, size+100)
			return func() error {
				reply, err := c.Do(ctx, port.Request{Raw: raw, Buf: buf})
				if err == nil && len(reply.Raw) != len(raw) {
					err = errors.New("another answer")
				}
				return err
			}, nil
		})
	}, end, nil
}

// openByHand is what one would write for the purpose: a caller writes with a lock held,
// and a goroutine reads and hands the answers out in the order of the questions.
// Alone, with a frame that fits a pipe, a caller reads by itself.
func openByHand(transport string, size int) (caller, func() error, error) {
	stream, end, err := openEcho(transport)
	if err != nil {
		return nil, nil, err
	}
	r, w := port.NewReader(stream, port.Packet4, 0), port.NewWriter(stream, port.Packet4, 0)
	if _, err := r.ReadPacket(nil); err != nil { // ready
		return nil, nil, errors.Join(err, end())
	}
	frame := append([]byte(callHead+"a\x01"), make([]byte, size+len("m1234"))...)
	alone := func(n int) error {
		buf := make([]byte, size+100)
		for range n {
			err := w.WritePacket(frame)
			if err == nil {
				buf, err = r.ReadPacket(buf)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	return func(n, inFlight int) error {
		if inFlight == 1 && size < 60_000 {
			return alone(n)
		}
		return handedOut(r, w, frame, n, inFlight)
	}, end, nil
}

func handedOut(r *port.Reader, w *port.Writer, frame []byte, n, inFlight int) error {
	type question struct {
		buf      []byte
		answered chan error
	}
	questions := make(chan *question, inFlight)
	var reader sync.WaitGroup
	reader.Go(func() {
		for q := range questions {
			var err error
			q.buf, err = r.ReadPacket(q.buf)
			q.answered <- err
		}
	})
	var turn sync.Mutex
	err := together(n, inFlight, func() (func() error, error) {
		q := &question{make([]byte, len(frame)+100), make(chan error, 1)}
		return func() error {
			turn.Lock()
			questions <- q
			err := w.WritePacket(frame)
			turn.Unlock()
			if err != nil {
				return err
			}
			return <-q.answered
		}, nil
	})
	close(questions)
	reader.Wait()
	return err
}

// openEcho starts the other side for code written by hand.
func openEcho(transport string) (io.ReadWriter, func() error, error) {
	if transport != "pipes" {
		return openSocket()
	}
	from, toUs, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	fromUs, to, err := os.Pipe()
	if err != nil {
		return nil, nil, errors.Join(err, from.Close(), toUs.Close())
	}
	end, err := startEcho("fd", fromUs, toUs)
	err = errors.Join(err, fromUs.Close(), toUs.Close())
	if err != nil {
		return nil, nil, errors.Join(err, from.Close(), to.Close())
	}
	return struct {
			io.Reader
			io.Writer
		}{from, to}, func() error {
			return errors.Join(to.Close(), from.Close(), end())
		}, nil
}

// openSocket starts the other side and connects to it.
func openSocket() (*net.UnixConn, func() error, error) {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return nil, nil, err
	}
	defer os.RemoveAll(dir)
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, "s"), Net: "unix"})
	if err != nil {
		return nil, nil, err
	}
	defer l.Close()
	end, err := startEcho(filepath.Join(dir, "s"))
	if err != nil {
		return nil, nil, err
	}
	c, err := l.AcceptUnix()
	if err != nil {
		return nil, nil, errors.Join(err, end())
	}
	return c, func() error {
		c.Close() // maybe closed
		return end()
	}, nil
}

// startEcho starts this program as the other side. end waits for it to end by itself,
// which it does when its stream ends.
func startEcho(where string, files ...*os.File) (end func() error, err error) {
	c := exec.Command("/proc/self/exe")
	c.Env = append(os.Environ(), echoVariable+"="+where)
	c.Stderr = os.Stderr
	c.ExtraFiles = files
	if err := c.Start(); err != nil {
		return nil, err
	}
	return c.Wait, nil
}

// tripTable has a line for each trip.
func (r report) tripTable() table {
	t := table{{"round trip", "in flight", "by hand", "port.Conn", ""}}
	for _, trip := range r.trips {
		hand, conn := median(trip.hand), median(trip.conn)
		t = append(t, []string{
			trip.transport + ", " + size(trip.size), fmt.Sprint(trip.inFlight), duration(hand), duration(conn), times(conn / hand),
		})
	}
	return t
}

// tripTarget is about the time of a call over that of the same bytes by hand.
func tripTarget(most float64) func(r report) (string, bool, bool) {
	return func(r report) (string, bool, bool) {
		worst, where := 0.0, ""
		var ratios []float64
		for _, t := range r.trips {
			ratio := median(t.conn) / median(t.hand)
			ratios = append(ratios, ratio)
			if ratio > worst {
				worst, where = ratio, t.name()
			}
		}
		if where == "" {
			return "", false, false
		}
		return fmt.Sprintf("%s at most (%s), geomean %s", times(worst), where, times(geomean(ratios))), worst <= most, true
	}
}
