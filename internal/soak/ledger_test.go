package soak

import (
	"context"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/port"
)

type callerFunc func(ctx context.Context, r port.Request) (port.Reply, error)

func (f callerFunc) Do(ctx context.Context, r port.Request) (port.Reply, error) { return f(ctx, r) }

// answer is an honest reply to a request, its nonce shifted by lie.
func answer(r port.Request, lie int64) (port.Reply, error) {
	nonce, _ := r.Term.At(2).Int64()
	b, err := etf.Encode(etf.Tuple(etf.Int(nonce+lie), r.Term.At(3)))
	return port.Reply{Raw: b[1:]}, err
}

// Each detector sees what it is there for.
func TestLedger(t *testing.T) {
	tests := map[string]struct {
		caller callerFunc
		err    error
		want   Outcomes
	}{
		"answered": {
			func(_ context.Context, r port.Request) (port.Reply, error) { return answer(r, 0) },
			nil, Outcomes{Requests: 1, Answered: 1},
		},
		"another's nonce": {
			func(_ context.Context, r port.Request) (port.Reply, error) { return answer(r, 1) },
			ErrMismatched, Outcomes{Requests: 1, Mismatched: 1},
		},
		"another's payload": {
			func(_ context.Context, r port.Request) (port.Reply, error) {
				b, _ := r.Term.At(3).Bytes()
				b[len(b)-1]++
				reply, err := answer(r, 0)
				b[len(b)-1]--
				return reply, err
			},
			ErrMismatched, Outcomes{Requests: 1, Mismatched: 1},
		},
		"no term": {
			func(context.Context, port.Request) (port.Reply, error) { return port.Reply{Raw: []byte{1}}, nil },
			ErrMismatched, Outcomes{Requests: 1, Mismatched: 1},
		},
		"failed": {
			func(context.Context, port.Request) (port.Reply, error) { return port.Reply{}, io.EOF },
			io.EOF, Outcomes{Requests: 1, Failed: 1},
		},
		"cancelled": {
			func(context.Context, port.Request) (port.Reply, error) { return port.Reply{}, context.Canceled },
			context.Canceled, Outcomes{Requests: 1, Cancelled: 1},
		},
		"lost, and then answered after all": {
			func(_ context.Context, r port.Request) (port.Reply, error) {
				time.Sleep(time.Hour)
				return answer(r, 0)
			},
			ErrLost, Outcomes{Requests: 1, Lost: 1, Twice: 1},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := NewLedger(time.Minute)
				require.ErrorIs(t, l.Do(t.Context(), test.caller, "echo", 0, 100, nil), test.err)
				time.Sleep(2 * time.Hour) // the bubble's: whoever is late has come
				o, open := l.Outcomes()
				require.Equal(t, test.want, o)
				require.Zero(t, open)
			})
		})
	}
}

func TestLedgerUnknown(t *testing.T) {
	l := NewLedger(time.Minute)
	l.Unknown(3, 3)
	o, _ := l.Outcomes()
	require.Zero(t, o.Twice)
	l.Unknown(5, 3)
	o, _ = l.Outcomes()
	require.EqualValues(t, 2, o.Twice)
}
