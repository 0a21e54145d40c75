// Package otporacle asks an Erlang emulator what it makes of encoded terms, for
// tests and fuzz targets. The emulator is a child of its own that an input may
// kill: then there is a new one.
package otporacle

import (
	"bufio"
	_ "embed"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/beamport/beamport/etf"
)

//go:embed etf_oracle.erl
var source []byte

// maxInputs is how many inputs a child sees: each may leave atoms behind, of
// which a child holds as many as atomTable says.
const (
	maxInputs = 400_000
	atomTable = "8000000"
)

// ErrDied says that a question has killed the emulator, or has kept it from
// answering for too long.
var ErrDied = errors.New("otporacle: the emulator has died of the question")

// An Oracle is an emulator that answers questions. It is for one goroutine.
type Oracle struct {
	// Patience is how long an answer is waited for: inputs that corrupt an emulator
	// may leave it without a process that answers. Start sets it to a minute.
	Patience time.Duration

	dir    string // of the compiled module
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout *os.File
	out    *bufio.Reader // of stdout
	frame  []byte
	inputs int // that the present child has seen
	starts int
}

// Start compiles the module that answers and starts an emulator, with erlc and
// erl on the PATH.
func Start() (*Oracle, error) {
	dir, err := os.MkdirTemp("", "otporacle")
	if err != nil {
		return nil, fmt.Errorf("otporacle: %w", err)
	}
	o := &Oracle{dir: dir, Patience: time.Minute}
	if err = o.compile(); err == nil {
		err = o.start()
	}
	if err != nil {
		o.Stop()
		return nil, err
	}
	return o, nil
}

func (o *Oracle) compile() error {
	path := filepath.Join(o.dir, "etf_oracle.erl")
	if err := os.WriteFile(path, source, 0o600); err != nil {
		return fmt.Errorf("otporacle: %w", err)
	}
	output, err := exec.Command("erlc", "+warnings_as_errors", "-o", o.dir, path).CombinedOutput()
	if err != nil {
		return fmt.Errorf("otporacle: this needs Erlang/OTP (erlc and erl on the PATH): %w: %s", err, output)
	}
	return nil
}

func (o *Oracle) start() error {
	// One scheduler is enough, and the emulator is up sooner.
	o.cmd = exec.Command("erl", "+S", "1:1", "+SDio", "1", "+SDcpu", "1:1", "+A", "1", "+t", atomTable, "-noinput",
		"-boot", "start_clean", "-pa", o.dir, "-run", "etf_oracle", "main")
	o.cmd.Env = append(os.Environ(), "ERL_CRASH_DUMP_SECONDS=0")
	o.cmd.SysProcAttr = diesWithParent()
	keepFromChildren()
	var err error
	if o.stdin, err = o.cmd.StdinPipe(); err != nil {
		return fmt.Errorf("otporacle: %w", err)
	}
	stdout, err := o.cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("otporacle: %w", err)
	}
	o.stdout = stdout.(*os.File)
	o.out = bufio.NewReaderSize(stdout, 1<<16)
	o.inputs = 0
	o.starts++
	if err := o.cmd.Start(); err != nil {
		o.cmd = nil
		return fmt.Errorf("otporacle: this needs Erlang/OTP (erlc and erl on the PATH): %w", err)
	}
	return nil
}

// end ends the present child and waits until it is gone.
func (o *Oracle) end() {
	if o.cmd == nil {
		return
	}
	o.stdin.Close()
	o.cmd.Process.Kill() // an error means that it is gone already
	o.cmd.Wait()         // whatever it says, it has been reaped
	o.cmd = nil
}

func (o *Oracle) restart() error {
	o.end()
	return o.start()
}

// Stop ends the emulator and removes what Start has made.
func (o *Oracle) Stop() error {
	o.end()
	return os.RemoveAll(o.dir)
}

// Starts returns how many emulators there have been.
func (o *Oracle) Starts() int { return o.starts }

// Ask asks one of the questions that etf_oracle.erl answers, a tuple of these
// elements. The error is [ErrDied] if the emulator has died of it; there is a
// new one then.
func (o *Oracle) Ask(question ...etf.Term) (etf.Term, error) {
	frame, err := etf.Append(append(o.frame[:0], 0, 0, 0, 0), etf.Tuple(question...))
	if err != nil {
		return etf.Term{}, fmt.Errorf("otporacle: %w", err)
	}
	binary.BigEndian.PutUint32(frame, uint32(len(frame)-4))
	o.frame = frame
	if answer, err := o.exchange(frame); err == nil {
		return etf.Decode(answer)
	}
	if err := o.restart(); err != nil {
		return etf.Term{}, err
	}
	return etf.Term{}, ErrDied
}

func (o *Oracle) exchange(frame []byte) ([]byte, error) {
	if err := o.stdout.SetReadDeadline(time.Now().Add(o.Patience)); err != nil {
		return nil, err
	}
	if _, err := o.stdin.Write(frame); err != nil {
		return nil, err
	}
	var head [4]byte
	if _, err := io.ReadFull(o.out, head[:]); err != nil {
		return nil, err
	}
	answer := make([]byte, binary.BigEndian.Uint32(head[:]))
	_, err := io.ReadFull(o.out, answer)
	return answer, err
}
