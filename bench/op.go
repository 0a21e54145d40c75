package main

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// An op is what is timed: one codec at one workload in one direction.
type op struct {
	// run does it n times and returns how long that took.
	run func(n int) (time.Duration, error)
	// once does it once, for Go's benchmarks; nil where the code is not Go.
	once func() error
	// bytes is the length of the encoded form, in the codec's own format.
	bytes int
	// note qualifies the result, such as what a format cannot hold.
	note string
}

// goOp returns the op for code of this process.
func goOp(bytes int, once func() error) op {
	return op{
		bytes: bytes,
		once:  once,
		run: func(n int) (time.Duration, error) {
			start := time.Now()
			for range n {
				if err := once(); err != nil {
					return 0, err
				}
			}
			return time.Since(start), nil
		},
	}
}

// allocs returns the allocations of one execution, or -1 where they cannot be
// counted.
func (o op) allocs() float64 {
	if o.once == nil {
		return -1
	}
	return testing.AllocsPerRun(3, func() { _ = o.once() })
}

// A codec is a row of the table.
type codec struct {
	name string
	// prepare returns the op for a workload, or says why the codec cannot do it.
	// It checks the result of one execution. The op keeps no more of the workload
	// than it needs: see [workload].
	prepare func(w *workload) (op, error)
}

// A section is a comparison: codecs that do the same, the first of which the
// others are held against.
type section struct {
	name   string // for -run and benchmarks
	title  string
	codecs []codec
	// applies says whether the comparison makes sense for a workload; nil: always.
	applies func(w *workload) bool
}

// try prepares the op and turns a panic of the codec into an error: some of
// them panic for valid terms.
func (c codec) try(w *workload) (o op, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panics: %s", firstLine(fmt.Sprint(r)))
		}
	}()
	o, err = c.prepare(w)
	if err != nil {
		err = fmt.Errorf("%s", firstLine(err.Error()))
	}
	return o, err
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	const most = 100
	if len(s) > most {
		s = s[:most] + "…"
	}
	return s
}
