//go:build linux

package soak

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLedger(t *testing.T) {
	payload, other := []byte("payload"), []byte("another")
	tests := map[string]struct {
		do    func(l *Ledger)
		want  [outcomes]uint64
		twice uint64
		notes int
	}{
		"answered": {do: func(l *Ledger) { l.Answer(l.Open(payload), 1, payload) }, want: [outcomes]uint64{Answered: 1}},
		"of several, in another order": {
			do: func(l *Ledger) {
				first, second := l.Open(payload), l.Open(other)
				l.Answer(second, second, other)
				l.Answer(first, first, payload)
			},
			want: [outcomes]uint64{Answered: 2},
		},
		"empty": {do: func(l *Ledger) { l.Answer(l.Open(nil), 1, nil) }, want: [outcomes]uint64{Answered: 1}},
		"another's answer": {
			do: func(l *Ledger) {
				first, second := l.Open(payload), l.Open(payload)
				l.Answer(first, second, payload)
				l.Answer(second, first, payload)
			},
			want: [outcomes]uint64{Mismatched: 2}, notes: 2,
		},
		"other bytes": {do: func(l *Ledger) { l.Answer(l.Open(payload), 1, other) }, want: [outcomes]uint64{Mismatched: 1}, notes: 1},
		"fewer bytes": {do: func(l *Ledger) { l.Answer(l.Open(payload), 1, payload[1:]) }, want: [outcomes]uint64{Mismatched: 1}, notes: 1},
		"twice": {
			do: func(l *Ledger) {
				n := l.Open(payload)
				l.Answer(n, n, payload)
				l.Answer(n, n, payload)
			},
			want: [outcomes]uint64{Answered: 1}, twice: 1, notes: 1,
		},
		"answered when cancelled": {
			do: func(l *Ledger) {
				n := l.Open(payload)
				l.Settle(n, Cancelled, nil)
				l.Answer(n, n, payload)
			},
			want: [outcomes]uint64{Cancelled: 1}, twice: 1, notes: 1,
		},
		"failed when answered": {
			do: func(l *Ledger) {
				n := l.Open(payload)
				l.Answer(n, n, payload)
				l.Settle(n, Failed, errors.New("late"))
			},
			want: [outcomes]uint64{Answered: 1}, twice: 1, notes: 1,
		},
		"never entered": {do: func(l *Ledger) { l.Answer(77, 77, payload) }, twice: 1, notes: 1},
		"open for ever": {
			do: func(l *Ledger) {
				l.Open(payload)
				n := l.Open(payload)
				l.Answer(n, n, payload)
				l.LoseOpen()
				l.LoseOpen()
			},
			want: [outcomes]uint64{Answered: 1, Lost: 1}, notes: 1,
		},
		"unexplained": {
			do:   func(l *Ledger) { l.Settle(l.Open(payload), Unexplained, errors.New("why")) },
			want: [outcomes]uint64{Unexplained: 1}, notes: 1,
		},
		"seen by the connection": {
			do: func(l *Ledger) {
				l.Twice(3, "three")
				l.Misplaced(2, "two")
			},
			want: [outcomes]uint64{Lost: 2}, twice: 3, notes: 2,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			l := NewLedger()
			tt.do(l)
			assert.Equal(t, tt.want, l.counts)
			assert.Equal(t, tt.twice, l.twice)
			assert.Len(t, l.notes, tt.notes)
			want := "well"
			if tt.notes > 0 {
				want = "ill"
			}
			assert.Equal(t, want, verdict(l)[:min(len(want), len(verdict(l)))])
		})
	}
}

func TestNotesAreFew(t *testing.T) {
	l := NewLedger()
	for range 10 * maxNotes {
		l.Note("a note")
	}
	require.Len(t, l.notes, maxNotes)
}

func TestTimes(t *testing.T) {
	var none times
	require.Zero(t, none.quantile(0.5))
	for d := time.Nanosecond; d < 100*time.Hour; d += d/7 + 1 {
		var one times
		one.add(d)
		got := one.quantile(0.99)
		require.Greater(t, got, d-1)
		require.LessOrEqual(t, float64(got), max(9, float64(d)*1.125+1))
	}
	var many times
	for i := range 1000 {
		many.add(time.Duration(i+1) * time.Millisecond)
	}
	require.InEpsilon(t, 500*time.Millisecond, many.quantile(0.5), 0.13)
	require.InEpsilon(t, 990*time.Millisecond, many.quantile(0.99), 0.13)
	require.InEpsilon(t, 1000*time.Millisecond, many.quantile(1), 0.13)
}

func TestLedgerMeasures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLedger()
		n := l.Open(nil)
		time.Sleep(40 * time.Millisecond)
		l.Answer(n, n, nil)
		require.InEpsilon(t, 40*time.Millisecond, l.times.quantile(0.5), 0.13)
	})
}
