package port_test

import (
	"bytes"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/port"
)

func TestLogHandler(t *testing.T) {
	var out bytes.Buffer
	handle := port.LogHandler(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelInfo}))
	at := time.UnixMicro(1735689600000001).UTC()
	huge, err := etf.Parse("1" + "000000000000000000000")
	require.NoError(t, err)
	handle(port.Log{Level: "error", Time: at, CallID: 7, Text: "grüße", Meta: etf.Map(
		etf.Pair{Key: etf.Atom("line"), Value: etf.Int(12)},
		etf.Pair{Key: etf.Atom("file"), Value: etf.String("a.erl")},
		etf.Pair{Key: etf.Atom("share"), Value: etf.Float(0.5)},
		etf.Pair{Key: etf.Atom("stream"), Value: etf.Atom("stdout")},
		etf.Pair{Key: etf.Atom("huge"), Value: huge},
		etf.Pair{Key: etf.String("a.b"), Value: etf.Int(1)},
		etf.Pair{Key: etf.Int(5), Value: etf.Int(1)},
	)})
	require.JSONEq(t, `{"time":"2025-01-01T00:00:00.000001Z","level":"ERROR","msg":"grüße","call":7,
		"line":12,"file":"a.erl","share":0.5,"stream":"stdout","huge":"1000000000000000000000","a.b":1}`, out.String())

	out.Reset()
	handle(port.Log{Level: "debug", Time: at, Text: "hidden", Meta: etf.Map()})
	require.Empty(t, out.String())
	handle(port.Log{Level: "notice", Time: at, Text: "no call", Meta: etf.Map()})
	require.JSONEq(t, `{"time":"2025-01-01T00:00:00.000001Z","level":"INFO+2","msg":"no call"}`, out.String())

	var last slog.Level = slog.LevelDebug - 1
	for _, level := range []string{"debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"} {
		now := port.Log{Level: level}.SlogLevel()
		require.Greater(t, now, last, level)
		last = now
	}
	require.Equal(t, slog.LevelInfo, port.Log{Level: "of some other kind"}.SlogLevel())
}
