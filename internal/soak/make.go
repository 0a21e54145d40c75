//go:build linux

package soak

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/beamport/beamport/port"
)

// A Make is what the children of a scenario are.
type Make int

// The makes. Those from BEAM on are emulators.
const (
	Light  Make = iota // this program, which misbehaves on command
	Server             // this program with a port.Server
	BEAM               // an emulator with the link
	Worker             // an emulator with beamport_client, and under it this program with port.Serve
	Socket             // an emulator with beamport_listener, to which the run connects
	makes
)

func (m Make) String() string {
	return [...]string{"light", "server", "beam", "worker", "socket"}[m]
}

func (m Make) emulator() bool { return m >= BEAM }

// ParseMakes returns the makes of these names.
func ParseMakes(names []string) ([]Make, error) {
	var found []Make
	for _, name := range names {
		m := Light
		for m < makes && m.String() != name {
			m++
		}
		if m == makes {
			return nil, fmt.Errorf("soak: there is no make %q", name)
		}
		found = append(found, m)
	}
	return found, nil
}

// A maker knows how to start children of one make.
type maker struct {
	make    Make
	command port.Command
	limited port.Command // the same with little memory
	// dress makes of a child that has been started what the scenario asks; nil is for
	// nothing.
	dress func(ctx context.Context, s *scenario, child Child) (Child, error)
}

// A tally counts a kind's faults, and the turns that its variants have had, by make.
type tally struct {
	Kind
	fired [makes]atomic.Uint64
	turns [makes]atomic.Int64
}

func (t *tally) total() (n uint64) {
	for i := range t.fired {
		n += t.fired[i].Load()
	}
	return n
}

// lacks reports whether a kind has to be injected more often into children of a make.
func (r *run) lacks(t *tally, m Make) bool {
	return t.by[m] != nil && (t.fired[m].Load() < r.each || t.total() < r.least[t.Name])
}

// short says which kinds were not injected often enough into children of those makes.
func (r *run) short(of []Make) []string {
	var short []string
	for _, t := range r.tallies {
		for _, m := range of {
			if n := t.fired[m].Load(); t.by[m] != nil && n < r.each {
				short = append(short, fmt.Sprintf("%s (%s): %d of %d", t.Name, m, n, r.each))
			}
		}
		if n, least := t.total(), r.least[t.Name]; n < least {
			short = append(short, fmt.Sprintf("%s: %d of %d", t.Name, n, least))
		}
	}
	return short
}
