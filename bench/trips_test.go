package main

import (
	"io"
	"os"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestMain(m *testing.M) {
	playEcho()
	playGate()
	os.Exit(m.Run())
}

func TestTrips(t *testing.T) {
	p := plan{rounds: 2, turn: time.Millisecond, only: regexp.MustCompile(`^port/.*/(100 B|1.05 MB)/(1|8)$`), log: io.Discard}
	measured, err := p.measureTrips()
	require.NoError(t, err)
	require.Len(t, measured, 8)
	for _, trip := range measured {
		rounds := 2
		if trip.inFlight == 1 {
			rounds = 8
		}
		require.Len(t, trip.hand, rounds)
		require.Len(t, trip.conn, rounds)
		require.Positive(t, trip.hand[0])
		require.Positive(t, trip.conn[0])
	}
}

func TestTripTable(t *testing.T) {
	r := report{trips: []trip{
		{transport: "pipes", size: 100, inFlight: 8, hand: []float64{2000, 1000, 3000}, conn: []float64{2400, 2200, 2600}},
		{transport: "unix", size: 5000, inFlight: 1, hand: []float64{4000}, conn: []float64{4000}},
	}}
	require.Equal(t, table{
		{"round trip", "in flight", "by hand", "port.Conn", ""},
		{"pipes, 100 B", "8", "2.00µs", "2.40µs", "1.20×"},
		{"unix, 5.00 kB", "1", "4.00µs", "4.00µs", "1.00×"},
	}, r.tripTable())
	shown, held, known := tripTarget(1.2)(r)
	require.True(t, known)
	require.True(t, held)
	require.Equal(t, "1.20× at most (pipes/100 B/8), geomean 1.10×", shown)
	_, _, known = tripTarget(1.2)(report{})
	require.False(t, known)
}
