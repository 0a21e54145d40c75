package main

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	readyLine = `fixture[.:]\w+/\d on OTP \d+, ready in [\d.]+ ms \(VM [\d.]+ ms, handler [\d.]+ ms\)` + "\n"
	facts     = `[\d.]+ ms, `
)

func TestInvoke(t *testing.T) {
	fn := fixture(t)
	one := file(t, "one.json", `{"n": 12345678901234567890, "t": "é"}`+"\n")
	boom := file(t, "boom.json", `{"raise": "no"}`)
	halt := file(t, "halt.json", `{"halt": 3}`)

	for _, c := range []struct {
		name   string
		tty    bool
		stdin  string
		args   []string
		status int
		stdout string // exactly
		like   string // or as a pattern
		stderr string // a pattern
	}{
		{name: "no event", args: []string{"--handler", "fixture:echo"}, stdout: `{"event":{}}`,
			stderr: "^" + readyLine + `
\{\}
  ok ` + facts + `12 bytes
$`},
		{name: "an event", args: []string{"--handler", "fixture:echo", "--event", one},
			stdout: `{"event":{"n":12345678901234567890,"t":"é"}}`, stderr: "\none.json\n"},
		{name: "an event on a terminal", tty: true, args: []string{"--handler", "fixture:echo", "--event", one},
			stdout: "{\n  \"event\": {\n    \"n\": 12345678901234567890,\n    \"t\": \"é\"\n  }\n}\n"},
		{name: "standard input", args: []string{"--handler", "fixture:echo", "--event", "-"}, stdin: "[1]",
			stdout: `{"event":[1]}`, stderr: "\nstandard input\n"},
		{name: "several, one VM", args: []string{"--handler", "fixture:echo", "--event", one, "--event", "-"}, stdin: "2",
			stdout: "{\"event\":{\"n\":12345678901234567890,\"t\":\"é\"}}\n{\"event\":2}\n",
			stderr: "^" + readyLine + `
one.json
  ok ` + facts + `45 bytes

standard input
  ok ` + facts + `11 bytes
$`},
		{name: "text", args: []string{"--handler", "fixture:text"}, stdout: "café <&>"},
		{name: "text on a terminal", tty: true, args: []string{"--handler", "fixture:text"}, stdout: "café <&>\n"},
		{name: "bytes", args: []string{"--handler", "fixture:bytes"}, stdout: "\x89PNG\xff\x00"},
		{name: "bytes on a terminal", tty: true, args: []string{"--handler", "fixture:bytes"}, stdout: "(6 bytes of image/png)\n"},
		{name: "a streamed HTTP response", args: []string{"--handler", "fixture:stream"}, stdout: "one two", stderr: `
\{\}
  http \{"headers":\{"content-type":"text/plain"\},"statusCode":201\}
  ok `},
		{name: "logs", args: []string{"--handler", "fixture:print"}, stdout: `{}`,
			stderr: `
\{\}
  info  one
        two
  warn  careful
  error wrong
  info  printed
  ok ` + facts + `2 bytes
$`},
		{name: "context", args: []string{"--handler", "fixture:context"},
			stdout: `{"function_name":"function","function_version":"$LATEST","handler":"fixture:context","log_group":"/aws/lambda/function","memory_limit":128,"traced":true}`},
		{name: "function error", status: statusFunction, args: []string{"--handler", "fixture:raise", "--event", boom},
			like:   `^\{"errorMessage":".*boom.*","errorType":"[^"]+","stackTrace":\["[^"]*raise/1".*\]\}$`,
			stderr: "\n  failed: [^ ]+ " + facts + `\d+ bytes` + "\n$"},
		{name: "goes on after a function error", status: statusFunction,
			args: []string{"--handler", "fixture:raise", "--event", boom, "--event", one},
			like: `(?s)"errorMessage".*` + "\n" + `\{"raised":false\}` + "\n$"},
		{name: "the VM ends, another one goes on", status: statusFunction,
			args: []string{"--handler", "fixture:halt", "--event", halt, "--event", one},
			like: `(?s)"errorType":"Runtime.ExitError".*` + "\n" + `\{"halted":false\}` + "\n$"},
		{name: "too slow", status: statusFunction, args: []string{"--handler", "fixture:wait", "--timeout", "200ms"},
			like: `^\{"errorMessage":"`, stderr: `\n  info  waiting\n(?s:.*)  failed: Function.Timeout `},
	} {
		t.Run(c.name, func(t *testing.T) {
			args := append(append([]string{"invoke"}, c.args...), fn)
			got := runWith(t, func(con *console) { con.outTTY = c.tty }, c.stdin, args...)
			assert.Equal(t, c.status, got.status, got.err)
			if c.like != "" {
				assert.Regexp(t, c.like, got.stdout)
			} else {
				assert.Equal(t, c.stdout, got.stdout)
			}
			if c.stderr != "" {
				assert.Regexp(t, c.stderr, got.err)
			}
			assert.NotContains(t, got.err, "\x1b")
		})
	}
}

func TestInvokeJSON(t *testing.T) {
	fn := fixture(t)
	for _, c := range []struct {
		handler string
		status  int
		want    map[string]any
	}{
		{"fixture:echo", statusOK, map[string]any{"ok": true, "response": map[string]any{"event": map[string]any{}}, "contentType": "application/json"}},
		{"fixture:text", statusOK, map[string]any{"ok": true, "text": "café <&>", "contentType": "text/plain"}},
		{"fixture:bytes", statusOK, map[string]any{"ok": true, "base64": "iVBOR/8A", "contentType": "image/png"}},
	} {
		t.Run(c.handler, func(t *testing.T) {
			got := runArgs(t, "invoke", "--json", "--handler", c.handler, fn)
			require.Equal(t, c.status, got.status, got.err)
			var o map[string]any
			require.NoError(t, json.Unmarshal([]byte(got.stdout), &o))
			assert.Positive(t, o["startMs"])
			assert.Positive(t, o["durationMs"])
			assert.Len(t, o["requestId"], 36)
			assert.Equal(t, "{}", o["event"])
			for key, want := range c.want {
				assert.Equal(t, want, o[key], key)
			}
		})
	}
	boom := file(t, "boom.json", `{"raise": "no"}`)
	got := runArgs(t, "invoke", "--json", "--handler", "fixture:raise", "--event", boom, "--event", boom, fn)
	require.Equal(t, statusFunction, got.status)
	require.Regexp(t, `^(\{"event":"boom.json","requestId":"[^"]+","ok":false,"errorType":"[^"]+","startMs":.*\}`+"\n"+`){2}$`, got.stdout)
}

func TestInvokeInColour(t *testing.T) {
	fn := fixture(t)
	got := runWith(t, func(c *console) { c.errStyle.colour = true }, "", "invoke", "--handler", "fixture:print", fn)
	require.Equal(t, statusOK, got.status)
	require.Contains(t, got.err, "  \x1b[33mwarn \x1b[0m careful\n")
	require.Contains(t, got.err, "  \x1b[31merror\x1b[0m wrong\n")
	require.Contains(t, got.err, "  \x1b[32mok\x1b[0m \x1b[2m")
	require.Equal(t, "{}", got.stdout)
}

func TestNoColour(t *testing.T) {
	for _, c := range []struct{ noColor, term string }{{"1", "xterm"}, {"", "dumb"}} {
		t.Setenv("NO_COLOR", c.noColor)
		t.Setenv("TERM", c.term)
		require.False(t, newConsole(nil, tty(t), tty(t)).errStyle.colour, c)
	}
	t.Setenv("NO_COLOR", "")
	t.Setenv("TERM", "xterm")
	require.True(t, newConsole(nil, tty(t), tty(t)).errStyle.colour)
}

func TestInterruptedInvoke(t *testing.T) {
	b := start(t, "invoke", "--handler", "fixture:wait", fixture(t))
	await(t, b.lines, "waiting")
	b.stop()
	await(t, b.lines, "^beamport: interrupted$")
	require.Equal(t, statusUsage, <-b.status)
}
