package bootstrap

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"io"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/bootstrap/emulator"
	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/port"
)

var logTime = time.UnixMicro(1735689600250000)

func TestLogText(t *testing.T) {
	r := startRig(t, emulator.Options{}, fakeConfig(t, "good"))
	r.do(emulator.Invocation{Payload: []byte(`{"do":"log"}`), RequestID: "r-1"})
	assert.Equal(t, []string{
		"[WARN]\t2025-01-01T00:00:00.250Z\tr-1\ttwo\nlines\n",
		"[DEBUG]\t2025-01-01T00:00:00.250Z\tof nobody\n",
	}, r.logs.all())
}

// What the VM itself writes to stdout and stderr has no level that another could be above,
// and is nobody's: it may be of a process that another invocation has left behind.
func TestLogOutput(t *testing.T) {
	for _, level := range levels {
		r := startRig(t, emulator.Options{}, fakeConfig(t, "good", "AWS_LAMBDA_LOG_FORMAT=JSON", "AWS_LAMBDA_LOG_LEVEL="+level))
		r.answers(`{"do":"output"}`, "null")
		for _, stream := range []string{"stdout", "stderr"} {
			var got map[string]any
			require.NoError(t, json.Unmarshal([]byte(r.logs.await(t, "on "+stream)), &got))
			delete(got, "timestamp")
			assert.Equal(t, map[string]any{"level": "INFO", "message": "on " + stream, "stream": stream}, got, level)
		}
	}
}

func TestLogJSON(t *testing.T) {
	r := startRig(t, emulator.Options{}, fakeConfig(t, "good", "AWS_LAMBDA_LOG_FORMAT=JSON", "AWS_LAMBDA_LOG_LEVEL=info"))
	r.do(emulator.Invocation{Payload: []byte(`{"do":"log"}`), RequestID: "r-1"})
	require.Len(t, r.logs.all(), 1, "DEBUG is below the level")
	assert.JSONEq(t, `{"timestamp":"2025-01-01T00:00:00.250Z","level":"WARN","requestId":"r-1",
		"message":"two\nlines","line":7,"domain":"web"}`, r.logs.all()[0])
	assert.Equal(t, 1, strings.Count(r.logs.all()[0], "\n"), "an entry is a line")

	r.do(emulator.Invocation{Payload: []byte(`{"do":"raise"}`), RequestID: "r-2"})
	var got map[string]any
	require.NoError(t, json.Unmarshal([]byte(r.logs.all()[1]), &got))
	delete(got, "timestamp")
	assert.Equal(t, map[string]any{
		"level": "ERROR", "requestId": "r-2", "message": "ArithmeticError: bad argument", "errorType": "ArithmeticError",
		"errorMessage": "bad argument", "stackTrace": []any{"lib/a.ex:3: A.b/2", "A.c/1"},
	}, got)

	r.do(emulator.Invocation{Payload: []byte(`{"do":"exit"}`), RequestID: "r-3"})
	assert.Contains(t, r.logs.await(t, "on stdout"), `"stream":"stdout"`)
	assert.Contains(t, r.logs.await(t, "last words"), `"stream":"stderr"`)
	for _, entry := range r.logs.all() {
		assert.True(t, json.Valid([]byte(entry)), entry)
	}
}

func TestLogRecords(t *testing.T) {
	var out bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelInfo}))
	l, err := newLogWriter(Config{Logger: logger}, false)
	require.NoError(t, err)
	l.log("r-1", port.Log{Level: "emergency", Time: logTime, Text: "x", Meta: etf.Map(etf.Pair{Key: etf.Atom("line"), Value: etf.Int(7)})})
	l.log("", port.Log{Level: "debug", Time: logTime, Text: "y"})
	l.output(port.Stderr, []byte("z"))
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	require.Len(t, lines, 2, "the logger's level counts")
	var first, second map[string]any
	require.NoError(t, json.Unmarshal([]byte(lines[0]), &first))
	require.NoError(t, json.Unmarshal([]byte(lines[1]), &second))
	at, err := time.Parse(time.RFC3339Nano, first["time"].(string))
	require.NoError(t, err)
	assert.True(t, at.Equal(logTime))
	delete(first, "time")
	delete(second, "time")
	assert.Equal(t, map[string]any{"level": "ERROR+4", "msg": "x", "request_id": "r-1", "line": 7.0}, first)
	assert.Equal(t, map[string]any{"level": "INFO", "msg": "z", "stream": "stderr"}, second)
}

func TestLogLevels(t *testing.T) {
	for erlang, lambda := range map[string]string{
		"emergency": "FATAL", "alert": "FATAL", "critical": "FATAL", "error": "ERROR", "warning": "WARN",
		"notice": "INFO", "info": "INFO", "debug": "DEBUG", "of tomorrow": "INFO",
	} {
		assert.Equal(t, lambda, levelOf(erlang), erlang)
	}
	var out bytes.Buffer
	l, err := newLogWriter(Config{Logs: &out, LogLevel: "Error"}, false)
	require.NoError(t, err)
	l.log("", port.Log{Level: "warning", Text: "no"})
	l.log("", port.Log{Level: "error", Text: "yes", Time: logTime})
	assert.Equal(t, "[ERROR]\t2025-01-01T00:00:00.250Z\tyes\n", out.String())
}

// A function cannot break a line of JSON, or pass its own fields for ours.
func TestLogJSONHostile(t *testing.T) {
	var out bytes.Buffer
	l, err := newLogWriter(Config{Logs: &out, LogFormat: "json"}, false)
	require.NoError(t, err)
	l.log("r-1", port.Log{Level: "info", Time: logTime, Text: "a\"\n\xff\x00", Meta: etf.Map(
		etf.Pair{Key: etf.Atom("requestId"), Value: etf.String("r-2")},
		etf.Pair{Key: etf.Atom("level"), Value: etf.String("FATAL")},
		etf.Pair{Key: etf.Atom("b"), Value: etf.Bool(true)},
		etf.Pair{Key: etf.Atom("f"), Value: etf.Float(1.5)},
		etf.Pair{Key: etf.Atom("bin"), Value: etf.Binary([]byte{0xff})},
		etf.Pair{Key: etf.Atom("list"), Value: etf.List()},
		etf.Pair{Key: etf.Atom("map"), Value: etf.Map(etf.Pair{Key: etf.Atom("a"), Value: etf.List(etf.Int(1), etf.String("é"))})},
		etf.Pair{Key: etf.Atom("tuple"), Value: etf.Tuple()},
		etf.Pair{Key: etf.Atom("both"), Value: etf.Int(1)},
		etf.Pair{Key: etf.String("both"), Value: etf.Int(2)},
		etf.Pair{Key: etf.Int(1), Value: etf.Int(1)},
	)})
	assert.Equal(t, 1, strings.Count(out.String(), "\n"))
	assert.JSONEq(t, `{"timestamp":"2025-01-01T00:00:00.250Z","level":"INFO","requestId":"r-1","message":"a\"\n\ufffd\u0000",
		"b":true,"f":1.5,"bin":"\ufffd","list":[],"map":{"a":[1,"é"]},"both":1}`, out.String())
}

// An entry is a frame, of as many lines as it has, on the descriptor that Lambda offers.
func TestLogFrames(t *testing.T) {
	for _, c := range []struct {
		format, level string
		kind          uint32
		text          string
	}{
		{"text", "warning", 0xA55A0013, "[WARN]\t2025-01-01T00:00:00.250Z\tr-1\ttwo\nlines"},
		{"json", "debug", 0xA55A000A, `{"timestamp":"2025-01-01T00:00:00.250Z","level":"DEBUG","requestId":"r-1","message":"two\nlines"}`},
	} {
		r, w, err := os.Pipe()
		require.NoError(t, err)
		fd, err := syscall.Dup(int(w.Fd()))
		require.NoError(t, err)
		require.NoError(t, w.Close())
		s, err := Config{
			Environ: []string{"_LAMBDA_TELEMETRY_LOG_FD=" + strconv.Itoa(fd), "AWS_LAMBDA_LOG_FORMAT=" + c.format},
			Handler: "a:b", TaskRoot: t.TempDir(),
		}.complete()
		require.NoError(t, err)
		s.logs.log("r-1", port.Log{Level: c.level, Time: logTime, Text: "two\nlines"})
		require.NoError(t, s.Logs.(*os.File).Close())
		got, err := io.ReadAll(r)
		require.NoError(t, err)
		require.Greater(t, len(got), 16)
		assert.Equal(t, c.kind, binary.BigEndian.Uint32(got))
		assert.EqualValues(t, len(got)-16, binary.BigEndian.Uint32(got[4:]))
		assert.EqualValues(t, logTime.UnixMicro(), binary.BigEndian.Uint64(got[8:]))
		assert.Equal(t, c.text, string(got[16:]))
		require.NoError(t, r.Close())
	}
	_, err := Config{Environ: []string{"_LAMBDA_TELEMETRY_LOG_FD=x"}, Handler: "a:b", TaskRoot: t.TempDir()}.complete()
	require.ErrorContains(t, err, "not the number of a descriptor")
}

// The types that Lambda's runtime for Python gives its frames, and one that it has not:
// https://github.com/aws/aws-lambda-python-runtime-interface-client/blob/main/awslambdaric/lambda_runtime_log_utils.py
func TestFrameTypes(t *testing.T) {
	for level, want := range map[string]uint32{
		"": 0xA55A0002, "TRACE": 0xA55A0006, "DEBUG": 0xA55A000A, "INFO": 0xA55A000E,
		"WARN": 0xA55A0012, "ERROR": 0xA55A0016, "FATAL": 0xA55A001A,
	} {
		assert.Equal(t, want, binary.BigEndian.Uint32(appendFrame(nil, true, level, logTime, nil)), "JSON, %s", level)
		assert.Equal(t, want+1, binary.BigEndian.Uint32(appendFrame(nil, false, level, logTime, nil)), "text, %s", level)
	}
}

// A line of log costs nothing but its fields.
func TestLogAllocs(t *testing.T) {
	l, err := newLogWriter(Config{Logs: io.Discard, LogFormat: "json"}, false)
	require.NoError(t, err)
	line := port.Log{Level: "info", Time: logTime, Text: "text \"quoted\" \xff", Meta: etf.Map()}
	require.Zero(t, testing.AllocsPerRun(100, func() { l.log("r-1", line) }))
}

func BenchmarkLogJSON(b *testing.B) {
	l, err := newLogWriter(Config{Logs: io.Discard, LogFormat: "json"}, false)
	require.NoError(b, err)
	meta := etf.Map(etf.Pair{Key: etf.Atom("line"), Value: etf.Int(7)}, etf.Pair{Key: etf.Atom("mfa"), Value: etf.String("A.b/2")})
	b.ReportAllocs()
	for b.Loop() {
		l.log("8476a536-e9f4-11e8-9739-2dfe598c3fcd", port.Log{Level: "info", Time: logTime, Text: "order 17 was shipped", Meta: meta})
	}
}
