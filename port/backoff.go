package port

import (
	"math/rand/v2"
	"time"
)

// Defaults of [Restart].
const (
	DefaultRestartMin    = 100 * time.Millisecond
	DefaultRestartMax    = 10 * time.Second
	DefaultRestartJitter = 0.2
	DefaultCrashLimit    = 5
	DefaultCrashWindow   = 30 * time.Second
)

// Restart says when a [Supervisor] starts another child and when it gives up. Each
// zero stands for its default.
type Restart struct {
	// Min is the delay before the first restart, and each that follows waits twice as
	// long as the one before, up to Max.
	Min, Max time.Duration
	// Jitter is the part of each delay, from 0 to 1, that chance may take off, so
	// that many supervisors that lost their children at once do not restart them
	// at once. A negative one is none.
	Jitter float64
	// Stable is how long a child has to be up for the delays to begin anew; 0 is Max.
	Stable time.Duration
	// CrashLimit is the number of crashes within CrashWindow that ends the Supervisor
	// with a [*CrashLoopError]. A negative one is no limit.
	CrashLimit  int
	CrashWindow time.Duration
}

func (r Restart) withDefaults() Restart {
	if r.Min <= 0 {
		r.Min = DefaultRestartMin
	}
	if r.Max <= 0 {
		r.Max = DefaultRestartMax
	}
	r.Max = max(r.Min, r.Max)
	if r.Jitter == 0 {
		r.Jitter = DefaultRestartJitter
	}
	r.Jitter = min(max(r.Jitter, 0), 1)
	if r.Stable <= 0 {
		r.Stable = r.Max
	}
	if r.CrashLimit == 0 {
		r.CrashLimit = DefaultCrashLimit
	}
	if r.CrashWindow <= 0 {
		r.CrashWindow = DefaultCrashWindow
	}
	return r
}

// A backoff gives the delays between restarts.
type backoff struct {
	restart Restart
	attempt int // since a child was stable
	delay   time.Duration
}

// next returns the number of the attempt, from 1, and the delay before it.
func (b *backoff) next() (int, time.Duration) {
	b.attempt++
	if b.attempt == 1 {
		b.delay = b.restart.Min
	} else {
		b.delay = min(b.restart.Max, 2*min(b.delay, b.restart.Max/2+1))
	}
	off := time.Duration(rand.Float64() * b.restart.Jitter * float64(b.delay))
	return b.attempt, b.delay - off
}

// wasUp says how long a child was.
func (b *backoff) wasUp(d time.Duration) {
	if d >= b.restart.Stable {
		b.attempt = 0
	}
}
