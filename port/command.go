//go:build linux || darwin

package port

import "time"

// Defaults of [Command].
const (
	DefaultStartTimeout = 30 * time.Second
	DefaultStopTimeout  = 5 * time.Second
)

// A Command is a program that speaks the protocol on file descriptors 3, which it
// reads, and 4, which it writes.
type Command struct {
	// Path is the program: a path, or a name to be looked for in PATH.
	Path string
	// Args are the arguments, the program's name not among them.
	Args []string
	// Env is the whole environment, as "key=value"; nil is that of this process.
	Env []string
	// Dir is the working directory; empty is that of this process.
	Dir string

	// OnOutput is given each line that the child writes to stdout or stderr, without
	// its newline; a line of more than 64 KiB comes in parts of that size. The lines
	// of one stream come in order, those of the two at the same time. line is valid
	// during the call. A child that writes faster than OnOutput returns has to wait,
	// and so does [Process.Done], for a second. Nil drops the lines.
	OnOutput func(from Output, line []byte)

	// StartTimeout is how long the child may take until its ready frame; 0 is
	// [DefaultStartTimeout].
	StartTimeout time.Duration
	// StopTimeout is how long [Process.Stop] waits for the child to end, once after
	// the stop frame and once after its pipes have been closed; 0 is
	// [DefaultStopTimeout].
	StopTimeout time.Duration

	// Options are those of the connection. Options.Packet is [Packet4] for a BEAM
	// that runs beamport's own application.
	Options Options
}

// withDefaults returns c with each zero that stands for something replaced.
func (c Command) withDefaults() Command {
	if c.StartTimeout == 0 {
		c.StartTimeout = DefaultStartTimeout
	}
	if c.StopTimeout == 0 {
		c.StopTimeout = DefaultStopTimeout
	}
	if c.OnOutput == nil {
		c.OnOutput = func(Output, []byte) {}
	}
	return c
}
