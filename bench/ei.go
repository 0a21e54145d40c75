package main

import (
	"bufio"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

//go:embed c/ei_bench.c
var eiSource []byte

// ei is a child that runs Erlang's C library, see c/ei_bench.c.
type ei struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	out    *bufio.Reader
	loaded map[string]bool
}

// startEI compiles the program into dir and starts it.
func startEI(dir string) (*ei, error) {
	source, program := filepath.Join(dir, "ei_bench.c"), filepath.Join(dir, "ei_bench")
	if err := os.WriteFile(source, eiSource, 0o644); err != nil {
		return nil, err
	}
	if output, err := exec.Command("gcc", "-O2", "-o", program, source, "-lei").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("bench: gcc (ei.h and libei are in Debian's erlang-dev): %w: %s", err, output)
	}
	e := &ei{cmd: exec.Command(program), loaded: map[string]bool{}}
	e.cmd.Stderr = os.Stderr
	var err error
	if e.stdin, err = e.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	stdout, err := e.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	e.out = bufio.NewReader(stdout)
	return e, e.cmd.Start()
}

// stop ends the child, which exits at the end of its input.
func (e *ei) stop() error {
	return errors.Join(e.stdin.Close(), e.cmd.Wait())
}

func (e *ei) ask(verb, name string, n int, data []byte) (string, error) {
	if _, err := fmt.Fprintf(e.stdin, "%s %s %d\n", verb, name, n); err != nil {
		return "", fmt.Errorf("bench: ei: %w", err)
	}
	if _, err := e.stdin.Write(data); err != nil {
		return "", fmt.Errorf("bench: ei: %w", err)
	}
	line, err := e.out.ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("bench: ei: %w", err)
	}
	line = strings.TrimSuffix(line, "\n")
	if reason, failed := strings.CutPrefix(line, "error "); failed {
		return "", errors.New(reason)
	}
	return line, nil
}

// encoded hands the term over and returns what ei makes of it, decoded and
// encoded again.
func (e *ei) encoded(w *workload) ([]byte, error) {
	if !e.loaded[w.name] {
		if _, err := e.ask("load", w.name, len(w.etf), w.etf); err != nil {
			return nil, err
		}
		e.loaded[w.name] = true
	}
	answer, err := e.ask("encoded", w.name, 1, nil)
	if err != nil {
		return nil, err
	}
	length, err := strconv.Atoi(answer)
	if err != nil {
		return nil, fmt.Errorf("bench: ei: %w", err)
	}
	encoded := make([]byte, length)
	_, err = io.ReadFull(e.out, encoded)
	return encoded, err
}

func (e *ei) op(direction string) func(w *workload) (op, error) {
	return func(w *workload) (op, error) {
		encoded, err := e.encoded(w)
		if err != nil {
			return op{}, err
		}
		name := w.name
		run := func(n int) (time.Duration, error) {
			answer, err := e.ask(direction, name, n, nil)
			if err != nil {
				return 0, err
			}
			nanoseconds, err := strconv.ParseInt(answer, 10, 64)
			return time.Duration(nanoseconds), err
		}
		return op{bytes: len(encoded), run: run}, sameETF(w, encoded)
	}
}
