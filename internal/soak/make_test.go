//go:build linux

package soak

import (
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseMakes(t *testing.T) {
	found, err := ParseMakes([]string{"light", "beam", "socket"})
	require.NoError(t, err)
	require.Equal(t, []Make{Light, BEAM, Socket}, found)
	_, err = ParseMakes([]string{"light", "other"})
	require.ErrorContains(t, err, `"other"`)
}

// A run goes on until each kind was injected as often as it has to be, or cannot be.
func TestMinimums(t *testing.T) {
	once := func(s *scenario) { s.fire(1) }
	tests := map[string]struct {
		config Config
		want   string // of Report.Err
		phases int
	}{
		"each": {config: Config{Each: 5}, phases: 5},
		"at least": {
			config: Config{Least: map[string]uint64{"one": 12}},
			phases: 6, // two a phase
		},
		"without emulators": {
			config: Config{Kinds: []Kind{{"one", by{Light: once, BEAM: once}}}},
			want:   "soak: not often enough: one (beam): 0 of 1",
			phases: 2,
		},
		"never": {
			config: Config{Kinds: []Kind{{"one", by{Light: once, Server: func(*scenario) {}}}}},
			want:   "soak: not often enough: one (server): 0 of 1",
			phases: 2,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if tt.config.Kinds == nil {
				tt.config.Kinds = []Kind{{"one", by{Light: once, Server: once}}}
			}
			report, err := Run(t.Context(), tt.config)
			require.NoError(t, err)
			require.Equal(t, tt.phases, report.Phases)
			if tt.want == "" {
				require.NoError(t, report.Err())
				return
			}
			require.EqualError(t, report.Err(), tt.want)
		})
	}
}

// Memory and threads that a run keeps are told, beyond what the runtime may have made.
func TestGates(t *testing.T) {
	hung := make(chan struct{})
	var locked sync.WaitGroup
	defer locked.Wait()
	defer close(hung)
	var hoard []byte
	kinds := map[string]Kind{
		"leaked bytes of heap: [0-9]+": {"heap", by{Light: func(s *scenario) {
			s.fire(1)
			hoard = make([]byte, 2*spareHeap)
		}}},
		"leaked goroutines: 96, leaked threads: [0-9]+": {"threads", by{Light: func(s *scenario) {
			s.fire(1)
			for range 96 {
				locked.Go(func() {
					runtime.LockOSThread()
					defer runtime.UnlockOSThread()
					<-hung
				})
			}
		}}},
	}
	for want, kind := range kinds {
		t.Run(kind.Name, func(t *testing.T) {
			report, err := Run(t.Context(), Config{Kinds: []Kind{kind}, Bound: 1e9})
			require.NoError(t, err)
			require.Regexp(t, "^soak: "+want+"$", report.Err().Error())
			runtime.KeepAlive(hoard)
			hoard = nil
		})
	}
}
