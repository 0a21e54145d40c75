package port

import (
	"fmt"
	"time"
)

// A CrashLoopError says that a [Supervisor] has given up: its children crashed too
// often in too short a time.
type CrashLoopError struct {
	Crashes int           // that were counted
	Within  time.Duration // from the first of them to the last
	Err     error         // the last one: an [*ExitError], or why no child could be started
}

func (e *CrashLoopError) Error() string {
	return fmt.Sprintf("port: gave up after %d crashes within %v: %v", e.Crashes, e.Within.Round(time.Millisecond), e.Err)
}

// Unwrap returns Err.
func (e *CrashLoopError) Unwrap() error { return e.Err }

// crashes remembers those of late.
type crashes struct {
	restart Restart
	times   []time.Time // within the window, oldest first, fewer than the limit
}

// add counts a crash; the result is not nil if it is one too many.
func (c *crashes) add(now time.Time, cause error) error {
	if c.restart.CrashLimit < 0 {
		return nil
	}
	for len(c.times) > 0 && now.Sub(c.times[0]) > c.restart.CrashWindow {
		c.times = c.times[1:]
	}
	c.times = append(c.times, now)
	if len(c.times) < c.restart.CrashLimit {
		return nil
	}
	return &CrashLoopError{Crashes: len(c.times), Within: now.Sub(c.times[0]), Err: cause}
}
