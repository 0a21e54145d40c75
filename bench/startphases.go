package main

import (
	"bytes"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// phase is a part of a start.
type phase struct {
	name string
	took []float64 // milliseconds
}

// startPhases are the parts in their order, each with how the line begins that init
// prints at its end. The last two end with a request to the Runtime API, and an answer.
var startPhases = []struct{ name, mark string }{
	{"exec and emulator", "{progress,preloaded}"},
	{"loading modules", "{progress,kernel_load_completed}"},
	{"kernel and applications", "{progress,started}"},
	{"handler", ""},
	{"first event", ""},
}

// phasesOf are the parts of the start of one.
type phasesOf struct {
	name   string
	phases []phase
}

// marks notes when lines come.
type marks struct {
	mu   sync.Mutex
	part []byte
	at   map[string]time.Time
}

func (m *marks) Write(b []byte) (int, error) {
	now := time.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.part = append(m.part, b...)
	for {
		line, rest, ok := bytes.Cut(m.part, []byte("\n"))
		if !ok {
			return len(b), nil
		}
		for _, p := range startPhases {
			if _, seen := m.at[p.mark]; p.mark != "" && !seen && strings.Contains(string(line), p.mark) {
				m.at[p.mark] = now
			}
		}
		m.part = bytes.Clone(rest)
	}
}

// measurePhases starts the runtimes with init's debugging output, whose lines are the
// marks between phases. It makes them slower by a little.
func measurePhases(starters []*starter, rounds int) ([]phasesOf, error) {
	var all []phasesOf
	for _, s := range starters {
		if s.frames {
			continue
		}
		of := phasesOf{name: s.name}
		for _, p := range startPhases {
			of.phases = append(of.phases, phase{name: p.name})
		}
		noisy := *s
		noisy.command = func() *exec.Cmd {
			c := s.command()
			c.Env = append(c.Env, "ERL_ZFLAGS=-init_debug")
			return c
		}
		for range rounds {
			m := &marks{at: map[string]time.Time{}}
			begin := time.Now()
			r, err := noisy.runAPI(&limit{}, nil, m)
			if err != nil {
				return nil, err
			}
			last := begin
			for i, p := range startPhases {
				m.mu.Lock()
				at, ok := m.at[p.mark]
				m.mu.Unlock()
				switch {
				case p.name == "handler":
					at = begin.Add(r.ready)
				case p.name == "first event":
					at = begin.Add(r.first)
				case !ok:
					continue // a boot that has no such part
				}
				// An instruction may end after the link has answered.
				if at.Before(last) {
					at = last
				}
				of.phases[i].took = append(of.phases[i].took, float64(at.Sub(last))/1e6)
				last = at
			}
		}
		all = append(all, of)
	}
	return all, nil
}
