//go:build linux

package soak

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/port"
)

// The short form of a run: each kind of fault, in a light child and in an emulator.
func TestRun(t *testing.T) {
	report, err := Run(t.Context(), Config{Seed: 1, BEAM: 1, Lanes: 6, Scale: 0.2, Offsets: 8, Line: 20_000_000, Log: func(line string) { t.Log(line) }})
	require.NoError(t, err)
	var text strings.Builder
	require.NoError(t, report.WriteText(&text))
	require.NoError(t, report.Err(), "%s", &text)
	t.Log("\n" + text.String())
	var sum uint64
	for o := range outcomes {
		sum += report.Outcomes[o.String()]
	}
	require.Equal(t, report.Requests, sum)
	require.Len(t, report.Kinds, len(Kinds))
	sum = 0
	for _, k := range report.Kinds {
		sum += k.Fired
		require.Contains(t, text.String(), k.Name)
		var by uint64
		for m, n := range k.By {
			require.Positive(t, n, "%s (%s)", k.Name, m)
			by += n
		}
		require.Equal(t, k.Fired, by)
	}
	require.Equal(t, report.Faults, sum)
	encoded, err := json.Marshal(report)
	require.NoError(t, err)
	var back Report
	require.NoError(t, json.Unmarshal(encoded, &back))
	require.Equal(t, *report, back)
}

// A liar wraps a child and does with one request what must not happen.
type liar struct {
	Child
	done  atomic.Bool
	lie   func(l *liar, ctx context.Context, r port.Request) (port.Reply, error)
	stats func(port.Stats) port.Stats
	stop  func() // before the child is stopped
}

func (l *liar) Do(ctx context.Context, r port.Request) (port.Reply, error) {
	if l.lie != nil && l.done.CompareAndSwap(false, true) {
		return l.lie(l, ctx, r)
	}
	return l.Child.Do(ctx, r)
}

func (l *liar) Stats() port.Stats {
	if l.stats != nil {
		return l.stats(l.Child.Stats())
	}
	return l.Child.Stats()
}

func (l *liar) Stop(ctx context.Context) error {
	if l.stop != nil {
		l.stop()
	}
	return l.Child.Stop(ctx)
}

// Each detector detects what it is for, and only that.
func TestDetectors(t *testing.T) {
	quiet := Kind{Name: "nothing", by: by{Light: func(s *scenario) {
		sess := s.begin()
		s.fire(1)
		for range 3 {
			sess.ask(s.ctx, query{payload: s.payload()})
		}
		s.finish(sess)
	}}}
	var release sync.WaitGroup
	defer release.Wait()
	hung := make(chan struct{})
	defer close(hung)

	tests := map[string]struct {
		liar *liar
		kind *Kind
		// What is waited for does not come: the bound is short.
		short bool
		want  string // of Report.Err
	}{
		"nothing": {},
		"another's reply": {
			liar: &liar{lie: func(l *liar, ctx context.Context, r port.Request) (port.Reply, error) {
				nonce, _ := r.Term.At(1).Int64()
				other := etf.Tuple(etf.Atom("echo"), etf.Int(nonce+1000), r.Term.At(2), r.Term.At(3))
				return l.Child.Do(ctx, port.Request{Term: other})
			}},
			want: "soak: mismatched: 1",
		},
		"other bytes": {
			liar: &liar{lie: func(l *liar, ctx context.Context, r port.Request) (port.Reply, error) {
				reply, err := l.Child.Do(ctx, r)
				if err == nil {
					reply.Raw[len(reply.Raw)-1] ^= 1
				}
				return reply, err
			}},
			want: "soak: mismatched: 1",
		},
		"a reply of another form": {
			liar: &liar{lie: func(l *liar, ctx context.Context, r port.Request) (port.Reply, error) {
				return port.Reply{Raw: []byte{97, 1}}, nil
			}},
			want: "soak: mismatched: 1",
		},
		"never an answer": {
			liar: &liar{lie: func(l *liar, ctx context.Context, r port.Request) (port.Reply, error) {
				<-ctx.Done()
				return port.Reply{}, ctx.Err()
			}},
			short: true,
			want:  "soak: lost: 1",
		},
		"a final frame that never comes": {
			liar:  &liar{stats: func(s port.Stats) port.Stats { s.Abandoned++; return s }},
			short: true,
			want:  "soak: lost: 1",
		},
		"an error without a fault": {
			liar: &liar{lie: func(l *liar, ctx context.Context, r port.Request) (port.Reply, error) {
				return port.Reply{}, errors.New("no reason")
			}},
			want: "soak: failed without explanation: 1",
		},
		"a frame that nobody asked for": {
			liar: &liar{stats: func(s port.Stats) port.Stats { s.Unknown += 2; return s }},
			want: "soak: answered twice: 2",
		},
		"a lie that was swallowed": {
			kind: &Kind{Name: "lies", by: by{Light: func(s *scenario) {
				sess := s.begin()
				sess.lies.Add(5)
				s.fire(4)
				sess.ask(s.ctx, query{op: "lie", number: 4})
				s.finish(sess)
			}}},
			short: true,
			want:  "soak: answered twice: 1",
		},
		"two outcomes": {
			kind: &Kind{Name: "two", by: by{Light: func(s *scenario) {
				sess := s.begin()
				s.fire(1)
				sess.ask(s.ctx, query{})
				s.ledger.Settle(s.ledger.last, Answered, nil)
				s.finish(sess)
			}}},
			want: "soak: answered twice: 1",
		},
		"a file descriptor": {
			liar: &liar{stop: func() {
				file, err := os.Open(os.DevNull)
				assert.NoError(t, err)
				t.Cleanup(func() { file.Close() })
			}},
			short: true,
			want:  "soak: leaked file descriptors: 1",
		},
		"a goroutine": {
			liar:  &liar{stop: func() { release.Go(func() { <-hung }) }},
			short: true,
			want:  "soak: leaked goroutines: 1",
		},
		"a kind that never fires": {
			kind: &Kind{Name: "silent", by: by{Light: func(s *scenario) {}}},
			want: `soak: not often enough: silent \(light\): 0 of 1`,
		},
		"a fault that does nothing": {
			kind: &Kind{Name: "blank", by: by{Light: func(s *scenario) { s.calledToEnd(query{op: "echo"}, exited(3)) }}},
			// Those of the four callers that have begun have no explanation for the child's end.
			want: "soak: failed without explanation: [1-4], broken promises: 2",
		},
		"another end than the fault's": {
			kind: &Kind{Name: "other", by: by{Light: func(s *scenario) {
				sess := s.begin()
				s.fire(1)
				sess.explain(exited(3))
				sess.child.Kill()
				s.ended(sess)
			}}},
			want: "soak: broken promises: 1",
		},
		"a process": {
			kind: &Kind{Name: "process", by: by{Light: func(s *scenario) {
				cmd := exec.Command("sleep", "1000")
				cmd.Env = append(os.Environ(), runVariable+"="+s.id)
				assert.NoError(t, cmd.Start())
				t.Cleanup(func() {
					cmd.Process.Kill()
					cmd.Wait()
				})
				s.fire(1)
			}}},
			short: true,
			// The descriptor is the pidfd of the process.
			want: "soak: leaked file descriptors: 1, leaked processes: 1",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			kind := quiet
			if tt.kind != nil {
				kind = *tt.kind
			}
			fake := tt.liar
			if fake == nil {
				fake = &liar{}
			}
			bound := 20 * time.Second
			if tt.short {
				bound = time.Second
			}
			first := true // it is for the baseline
			report, err := Run(t.Context(), Config{Kinds: []Kind{kind}, Lanes: 1, Bound: bound,
				start: func(ctx context.Context, c port.Command) (Child, error) {
					child, err := startProcess(ctx, c)
					if err != nil || first {
						first = false
						return child, err
					}
					fake.Child = child
					return fake, nil
				}})
			require.NoError(t, err)
			if tt.want == "" {
				require.NoError(t, report.Err(), "%v", report.Notes)
				return
			}
			require.Error(t, report.Err())
			require.Regexp(t, "^"+tt.want+"$", report.Err().Error(), "%v", report.Notes)
		})
	}
}

func TestSelect(t *testing.T) {
	all, err := Select("")
	require.NoError(t, err)
	require.Len(t, all, len(Kinds))
	require.GreaterOrEqual(t, len(all), 12)
	some, err := Select("^(child|late)")
	require.NoError(t, err)
	require.Len(t, some, 3)
	_, err = Select("(")
	require.Error(t, err)
	none, err := Select("no such kind")
	require.NoError(t, err)
	_, err = Run(t.Context(), Config{Kinds: append([]Kind{}, none...)})
	require.ErrorContains(t, err, "no kind")
}

// A run goes on until both of what was asked for are reached, and a seed makes it
// again.
func TestRunGoesOn(t *testing.T) {
	kinds, err := Select("^(lying|duplicate)")
	require.NoError(t, err)
	var reports [2]*Report
	for i := range reports {
		reports[i], err = Run(t.Context(), Config{Kinds: kinds, Makes: []Make{Light}, Seed: 7, Faults: 2000})
		require.NoError(t, err)
		require.NoError(t, reports[i].Err())
		require.GreaterOrEqual(t, reports[i].Faults, uint64(2000))
		require.Greater(t, reports[i].Phases, 1)
	}
	require.Equal(t, reports[0].Kinds, reports[1].Kinds)
}

func TestRunEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	kinds, err := Select("^lying")
	require.NoError(t, err)
	report, err := Run(ctx, Config{Kinds: kinds, Makes: []Make{Light}, For: time.Hour, Log: func(string) { cancel() }})
	require.ErrorIs(t, err, context.Canceled)
	require.NoError(t, report.Err())
}

// Each frame of the table ends a connection: none is there by mistake.
func TestMalformed(t *testing.T) {
	names := make(map[string]bool)
	for _, m := range malformed {
		require.False(t, names[m.name], m.name)
		names[m.name] = true
		near, far := net.Pipe()
		c := port.NewConn(near, port.Options{})
		go func() {
			far.Write(framed(tuple("ready", etf.Int(port.Version), etf.Map())))
			far.Write(framed(m.bytes(1)))
		}()
		<-c.Done()
		_, ok := errors.AsType[*port.ProtocolError](c.Err())
		require.True(t, ok, "%s: %v", m.name, c.Err())
		c.Close()
		far.Close()
	}
}

// Each offset of the frame that is written in part has its turn, the last included.
func TestHalfFrameHasEachOffset(t *testing.T) {
	request := etf.Tuple(etf.Atom("half"), etf.Uint(1<<63), etf.Int(0), etf.Binary(make([]byte, halfPayload)))
	frame := frameOf(etf.Tuple(etf.Atom("reply"), etf.Int(1), answerTo(request)))
	require.Less(t, len(frame), halfOffsets)
	offsets := Config{}.withDefaults().Offsets
	require.GreaterOrEqual(t, offsets-offsets/8, halfOffsets)
}
