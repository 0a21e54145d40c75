package main

import (
	"bytes"
	"embed"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/beamport/beamport/etf"
)

//go:embed erl/*.erl erl/*.ex
var erlSources embed.FS

// beam is an emulator of the harness's own, see erl/bench_beam.erl.
type beam struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
	out   io.Reader

	mu sync.Mutex // one question at a time
}

// startBEAM compiles the modules into dir and starts the emulator.
func startBEAM(dir string) (*beam, error) {
	sources, err := erlSources.ReadDir("erl")
	if err != nil {
		return nil, err
	}
	for _, s := range sources {
		text, err := erlSources.ReadFile("erl/" + s.Name())
		if err != nil {
			return nil, err
		}
		file := filepath.Join(dir, s.Name())
		if err := os.WriteFile(file, text, 0o644); err != nil {
			return nil, err
		}
		compile := exec.Command("erlc", "+warnings_as_errors", "-o", dir, file)
		if strings.HasSuffix(file, ".ex") {
			compile = exec.Command("elixirc", "-o", dir, file)
		}
		if output, err := compile.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("bench: compiling %s (Erlang/OTP and Elixir have to be installed): %w: %s", s.Name(), err, output)
		}
	}
	b := &beam{cmd: exec.Command("erl", "-noinput", "-boot", "start_clean", "-pa", dir, "-run", "bench_beam", "main")}
	b.cmd.Env = append(os.Environ(), "ERL_CRASH_DUMP_SECONDS=0")
	b.cmd.Stderr = os.Stderr
	if b.stdin, err = b.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if b.out, err = b.cmd.StdoutPipe(); err != nil {
		return nil, err
	}
	if err := b.cmd.Start(); err != nil {
		return nil, fmt.Errorf("bench: erl: %w", err)
	}
	return b, nil
}

// stop ends the emulator, which halts at the end of its input.
func (b *beam) stop() error {
	return errors.Join(b.stdin.Close(), b.cmd.Wait())
}

// ask sends a request and returns the answer.
func (b *beam) ask(request etf.Term) (etf.Term, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	frame, err := etf.Append(make([]byte, 4), request)
	if err != nil {
		return etf.Term{}, err
	}
	binary.BigEndian.PutUint32(frame, uint32(len(frame)-4))
	if _, err := b.stdin.Write(frame); err != nil {
		return etf.Term{}, fmt.Errorf("bench: erl: %w", err)
	}
	var header [4]byte
	if _, err := io.ReadFull(b.out, header[:]); err != nil {
		return etf.Term{}, fmt.Errorf("bench: erl: %w", err)
	}
	answer := make([]byte, binary.BigEndian.Uint32(header[:]))
	if _, err := io.ReadFull(b.out, answer); err != nil {
		return etf.Term{}, fmt.Errorf("bench: erl: %w", err)
	}
	return etf.Decode(answer)
}

// samples asks for the terms to measure.
func (b *beam) samples() ([]sample, error) {
	answer, err := b.ask(etf.Atom("workloads"))
	if err != nil {
		return nil, err
	}
	var all []sample
	for t := range answer.All() {
		name, _ := t.At(0).AtomName()
		about, _ := t.At(1).Text()
		encoded, _ := t.At(2).Bytes()
		all = append(all, sample{strings.Clone(name), about, bytes.Clone(encoded)})
	}
	return all, nil
}

// version returns OTP's release, that of the emulator, and jit or emu.
func (b *beam) version() (otp, erts, flavor string, err error) {
	answer, err := b.ask(etf.Atom("system"))
	if err != nil {
		return "", "", "", err
	}
	otp, _ = answer.At(0).Text()
	erts, _ = answer.At(1).Text()
	flavor, _ = answer.At(2).AtomName()
	return otp, erts, flavor, nil
}

// same reports whether the emulator reads the bytes as the workload's term.
func (b *beam) same(w *workload, encoded []byte) error {
	answer, err := b.ask(etf.Tuple(etf.Atom("same"), etf.Atom(w.name), etf.Binary(encoded)))
	if err != nil {
		return err
	}
	if yes, _ := answer.Bool(); !yes {
		return errors.New("writes another term, says the BEAM")
	}
	return nil
}

// decode and encode are the codecs of the emulator: binary_to_term/1 and
// term_to_binary/1.
func (b *beam) decode(w *workload) (op, error) {
	return b.op(w, "decode", len(w.etf)), nil
}

func (b *beam) encode(w *workload) (op, error) {
	answer, err := b.ask(etf.Tuple(etf.Atom("encoded"), etf.Atom(w.name)))
	if err != nil {
		return op{}, err
	}
	encoded, _ := answer.Bytes()
	return b.op(w, "encode", len(encoded)), sameETF(w, encoded)
}

func (b *beam) op(w *workload, direction string, bytes int) op {
	name := etf.Atom(w.name)
	return op{bytes: bytes, run: func(n int) (time.Duration, error) {
		answer, err := b.ask(etf.Tuple(etf.Atom(direction), name, etf.Int(int64(n))))
		if err != nil {
			return 0, err
		}
		nanoseconds, ok := answer.Int64()
		if !ok {
			return 0, fmt.Errorf("bench: erl answered %v", answer)
		}
		return time.Duration(nanoseconds), nil
	}}
}

// sameETF checks that the bytes are the workload's term.
func sameETF(w *workload, encoded []byte) error {
	term, err := etf.Decode(encoded)
	if err != nil {
		return fmt.Errorf("writes what is no term: %w", err)
	}
	if !etf.Equal(term, w.term) {
		return errors.New("writes another term")
	}
	return nil
}
