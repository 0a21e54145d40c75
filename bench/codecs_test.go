package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// cannotDo lists what each codec cannot do, which is for the table to say. Each
// codec checks its result for everything else, see codec.prepare.
var cannotDo = map[string][]string{
	"decode/erlang_go":     {"invocation", "event", "sqs", "atoms"},
	"decode/ergo":          {"invocation", "event", "sqs"},
	"decode/encoding/json": {"binary"},
	"decode/json/v2":       {"binary"},
	"decode/sonic":         {"binary"},
	"encode/erlang_go":     {"invocation", "event", "sqs"},
	"encode/ergo":          {"invocation", "event", "sqs"},
	"encode/encoding/json": {"binary"},
	"encode/json/v2":       {"binary"},
	"encode/sonic":         {"binary"},
}

func TestCodecs(t *testing.T) {
	l := testLab(t)
	for _, s := range l.sections() {
		failed := map[string][]string{}
		for _, sample := range l.samples {
			w, err := newWorkload(sample)
			require.NoError(t, err)
			for _, c := range (plan{}).selected(s, w) {
				o, err := c.try(w)
				if err != nil {
					key := s.name + "/" + c.name
					failed[key] = append(failed[key], w.name)
					continue
				}
				name := s.name + "/" + w.name + "/" + c.name
				took, err := o.run(2)
				require.NoError(t, err, name)
				assert.Positive(t, took, name)
				assert.Positive(t, o.bytes, name)
			}
		}
		for key, workloads := range failed {
			assert.Equal(t, cannotDo[key], workloads, key)
		}
		for _, c := range s.codecs {
			key := s.name + "/" + c.name
			assert.Equal(t, len(cannotDo[key]), len(failed[key]), key)
		}
	}
}

func TestSamples(t *testing.T) {
	l := testLab(t)
	sizes := map[string][2]int{
		"invocation": {300, 500}, "event": {4_500, 5_500}, "event_atoms": {4_500, 5_500}, "sqs": {5_000, 20_000},
		"records": {900_000, 1_100_000}, "numbers": {400_000, 800_000}, "binary": {5 << 20, 5<<20 + 10},
		"atoms": {50_000, 200_000}, "deep": {5_000, 10_000},
	}
	for _, s := range l.samples {
		limits, ok := sizes[s.name]
		require.True(t, ok, s.name)
		assert.GreaterOrEqual(t, len(s.etf), limits[0], s.name)
		assert.LessOrEqual(t, len(s.etf), limits[1], s.name)
		assert.NotEmpty(t, s.about)
		delete(sizes, s.name)
	}
	assert.Empty(t, sizes, "what is missing")

	again := testLab(t)
	assert.Equal(t, l.samples, again.samples, "every run measures the same")
}

// The emulator says which bytes are a workload's term.
func TestBEAM(t *testing.T) {
	l := testLab(t)
	w, err := newWorkload(l.samples[0])
	require.NoError(t, err)
	assert.NoError(t, l.beam.same(w, w.etf))
	assert.Error(t, l.beam.same(w, []byte{131, 97, 1}))
	assert.Error(t, l.beam.same(w, []byte{131}))

	otp, erts, flavor, err := l.beam.version()
	require.NoError(t, err)
	assert.NotEmpty(t, otp)
	assert.NotEmpty(t, erts)
	assert.Contains(t, []string{"jit", "emu"}, flavor)
}

func TestEIRefuses(t *testing.T) {
	l := testLab(t)
	w := &workload{sample: sample{name: "bad", etf: []byte{131, 255}}}
	_, err := l.ei.op("decode")(w)
	assert.EqualError(t, err, "ei refuses the term")
	_, err = l.ei.ask("decode", "unknown", 1, nil)
	assert.EqualError(t, err, "no such workload")
}
