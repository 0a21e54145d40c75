package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestStartFlags(t *testing.T) {
	for args, want := range map[string]string{
		"-start -cpu some":  `bench: -cpu: "some" is neither all nor a number of processors`,
		"-start -cpu all,0": `bench: -cpu: "0" is neither all nor a number of processors`,
		"-start -run (":     "error parsing regexp",
	} {
		err := run(strings.Fields(args), io.Discard, io.Discard)
		assert.ErrorContains(t, err, want, args)
	}
}

// A start of one thing, from the building of the layer to the pictures.
func TestStart(t *testing.T) {
	dir := t.TempDir()
	report, picture := filepath.Join(dir, "starts.md"), filepath.Join(dir, "starts.svg")
	var out bytes.Buffer
	require.NoError(t, run([]string{"-start", "-runs", "1", "-cpu", "all", "-run", "^Erlang, function$", "-o", report, "-svg", picture}, &out, io.Discard))
	assert.Regexp(t, regexp.MustCompile(`(?m)^Erlang, function +[\d.]+ms +[\d.]+ms`), out.String())
	assert.Contains(t, out.String(), startBaseline)
	assert.Contains(t, out.String(), startFaster)
	assert.Regexp(t, `first event ÷ later ones, Erlang, function +≤ 2\.00×`, out.String())
	for preset, most := range map[string]string{"erlang": "6.00", "elixir": "7.00", "elixir-tls": "8.50"} {
		assert.Regexp(t, `layer for provided\.al2023, `+preset+` +≤ `+regexp.QuoteMeta(most)+` MB +[5-8]\.\d\d MB +ok`, out.String())
	}
	assert.NotContains(t, out.String(), "Elixir, lean")
	written, err := os.ReadFile(report)
	require.NoError(t, err)
	assert.Contains(t, string(written), "| Erlang, function |")
	drawn, err := os.ReadFile(picture)
	require.NoError(t, err)
	assertXML(t, drawn)
	for _, p := range startPhases {
		assert.Contains(t, string(drawn), p.name)
	}
}

func assertXML(t *testing.T, b []byte) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(b))
	for {
		_, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		require.NoError(t, err)
	}
}

func TestStartReport(t *testing.T) {
	run := func(first time.Duration) startRun {
		return startRun{ready: first / 2, first: first, event: 3 * time.Millisecond, warm: time.Millisecond, atOnce: time.Millisecond / 2, cpu: first}
	}
	memory := []startMemory{{20 << 20, 25 << 20}, {30 << 20, 35 << 20}, {90 << 20, 95 << 20}}
	starters := []*starter{
		{name: startBaseline, frames: true, memory: memory, runs: []startRun{run(100 * time.Millisecond), run(300 * time.Millisecond), run(200 * time.Millisecond)}},
		{name: startFaster, frames: true, memory: memory, runs: []startRun{run(100 * time.Millisecond)}},
		{name: "quick <one>", most: 0.2, mostMemory: 28 << 20, memory: memory, runs: []startRun{run(20 * time.Millisecond), run(60 * time.Millisecond), run(30 * time.Millisecond)}},
	}
	r := startReport{machine: "a machine", rounds: 3, notes: []string{"a note"}}
	r.add(&limit{}, starters)
	r.addLayers([]layerSize{{preset: "erlang", size: 5_740_000, most: 6e6}, {preset: "elixir", size: 7_000_001, most: 7e6}})
	r.phases = []phasesOf{{"quick <one>", []phase{{"exec and emulator", []float64{10, 30, 20}}, {"loading modules", nil}, {"kernel and applications", []float64{5}}}}}
	text := r.text()
	assert.Regexp(t, `quick <one> +15\.0ms +30\.0ms +20\.0ms +0\.15× +0\.30× +30\.0ms +3\.00ms +1\.00ms +500µs +30\.0 MB +35\.0 MB`, text, "medians")
	assert.Regexp(t, `first answer, quick <one>, all processors +≤ 0\.20× +0\.15× \(÷ fun 0\.30×\) +ok`, text)
	assert.Regexp(t, `resident when ready, quick <one>, all processors +≤ 28\.0 MB +30\.0 MB +missed`, text)
	assert.Regexp(t, `first event ÷ later ones, quick <one> +≤ 2\.00× +3\.00× \(÷ at once 6\.00×\) +missed`, text)
	assert.Regexp(t, `layer for provided\.al2023, erlang +≤ 6\.00 MB +5\.74 MB +ok`, text)
	assert.Regexp(t, `layer for provided\.al2023, elixir +≤ 7\.00 MB +7\.00 MB +missed`, text)
	assert.Contains(t, text, "20.0 + - + 5.00 = 25.0")
	assert.Contains(t, text, "note: a note")
	assert.Contains(t, r.markdown(), "## Start to first answer, all processors (medians of 3)")
	svg := r.svg()
	assertXML(t, []byte(svg))
	assert.Contains(t, svg, "quick &lt;one&gt;")
	assert.Contains(t, svg, "<title>exec and emulator: 20.0 ms</title>")
}

// The lines of init's come in pieces, and some more than once.
func TestMarks(t *testing.T) {
	m := &marks{at: map[string]time.Time{}}
	for _, piece := range []string{"noise\n{progress,", "preloaded}\n{progress,kernel_load", "_completed}\n"} {
		n, err := m.Write([]byte(piece))
		require.NoError(t, err)
		require.Equal(t, len(piece), n)
	}
	first := m.at["{progress,preloaded}"]
	assert.False(t, first.IsZero())
	assert.False(t, m.at["{progress,kernel_load_completed}"].Before(first))
	assert.NotContains(t, m.at, "{progress,started}")
	_, err := m.Write([]byte("{progress,preloaded}\n"))
	require.NoError(t, err)
	assert.Equal(t, first, m.at["{progress,preloaded}"], "the first counts")
}

// A process that is limited is in the group from its start, and the group goes.
func TestLimit(t *testing.T) {
	l, err := newLimit(0.5)
	if err != nil {
		require.ErrorContains(t, err, "0.5 of a processor cannot be set here")
		t.Skip(err)
	}
	assert.Equal(t, "0.5 vCPU", l.String())
	file := filepath.Join(t.TempDir(), "groups")
	c := exec.Command("sh", "-c", "cat /proc/self/cgroup >"+file)
	c.Env = os.Environ()
	p, err := l.start(c)
	require.NoError(t, err)
	require.NoError(t, p.cmd.Wait())
	groups, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Contains(t, string(groups), filepath.Base(l.dir))
	require.NoError(t, l.remove())
	assert.NoDirExists(t, l.dir)
}
