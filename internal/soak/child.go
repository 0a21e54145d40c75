//go:build linux

package soak

import (
	"context"
	"math/rand/v2"
	"os"
	"time"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/port"
)

// A Child is what a run needs of the process that serves requests, and of whatever
// looks after it.
type Child interface {
	Do(ctx context.Context, r port.Request) (port.Reply, error)
	Stream(ctx context.Context, r port.Request) (*port.Stream, error)
	Cast(ctx context.Context, message etf.Term) error
	Stats() port.Stats
	Pid() int
	Kill() error
	Stop(ctx context.Context) error
	Done() <-chan struct{}
	Err() error
}

// process is a [port.Process] as a Child.
type process struct{ *port.Process }

func (p process) Do(ctx context.Context, r port.Request) (port.Reply, error) {
	return p.Conn().Do(ctx, r)
}

func (p process) Stream(ctx context.Context, r port.Request) (*port.Stream, error) {
	return p.Conn().Stream(ctx, r)
}

func (p process) Cast(ctx context.Context, message etf.Term) error {
	return p.Conn().Cast(ctx, message)
}

func (p process) Close() error { return p.Conn().Close() }

func (p process) Stats() port.Stats { return p.Conn().Stats() }

// A starter starts children of one make.
type starter func(ctx context.Context, c port.Command) (Child, error)

// startProcess is the starter of a run. Tests wrap it in one that lies.
func startProcess(ctx context.Context, c port.Command) (Child, error) {
	p, err := port.Start(ctx, c)
	if err != nil {
		return nil, err
	}
	return process{p}, nil
}

// maxPacket is the maximum of a frame in a run: more than any payload, and so little
// that going over it costs nothing.
const maxPacket = 4 << 20

// startTimeout is how long a child may take on a machine that does much else.
const startTimeout = time.Minute

// ownCommand starts this program in a role, see [Play].
func ownCommand(run, role string) (port.Command, error) {
	exe, err := os.Executable()
	if err != nil {
		return port.Command{}, err
	}
	return port.Command{
		Path: exe,
		// The race detector would have it sleep for a second when it exits.
		Env:          append(os.Environ(), runVariable+"="+run, roleVariable+"="+role, "GORACE=atexit_sleep_ms=0", "GOTRACEBACK=none", "GOMAXPROCS=2"),
		StartTimeout: startTimeout,
		Options:      port.Options{MaxPacket: maxPacket},
	}, nil
}

// noise is what payloads are cut from.
var noise = func() []byte {
	b := make([]byte, 4<<20)
	r := rand.NewChaCha8([32]byte{1})
	r.Read(b)
	return b
}()

// maxPayload is the longest payload.
const maxPayload = 2 << 20

// payloadOf returns n random bytes, which are not to be changed.
func payloadOf(r *rand.Rand, n int) []byte {
	at := r.IntN(len(noise) - n)
	return noise[at : at+n]
}

// sizeOf is the size of a payload: mostly small, sometimes up to 100 KB, now and then
// up to [maxPayload].
func sizeOf(r *rand.Rand) int {
	switch n := r.IntN(100); {
	case n < 75:
		return r.IntN(1 << 10)
	case n < 98:
		return r.IntN(100 << 10)
	default:
		return r.IntN(maxPayload)
	}
}
