package main

import (
	"errors"
	"io"
	"regexp"
	"testing"
	"time"

	"github.com/beamport/beamport/etf"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// steady is an op of another process that always takes so long.
func steady(each time.Duration, asked *[]int) op {
	return op{bytes: 10, run: func(n int) (time.Duration, error) {
		*asked = append(*asked, n)
		return time.Duration(n) * each, nil
	}}
}

func someSamples(t *testing.T) []sample {
	encoded, err := etf.Encode(etf.List(etf.Int(1), etf.Float(2)))
	require.NoError(t, err)
	return []sample{{"one", "", encoded}, {"two", "", encoded}}
}

func TestMeasure(t *testing.T) {
	var fast, slow []int
	sections := []section{
		{name: "decode", codecs: []codec{
			{"fast", func(*workload) (op, error) { return steady(time.Microsecond, &fast), nil }},
			{"slow", func(*workload) (op, error) { return steady(time.Second, &slow), nil }},
			{"unable", func(*workload) (op, error) { return op{}, errors.New("no such type\nand more") }},
			{"wild", func(*workload) (op, error) { panic("index out of range") }},
		}},
		{name: "typed", codecs: []codec{{"fast", nil}}, applies: func(*workload) bool { return false }},
	}
	p := plan{rounds: 2, turn: time.Millisecond, only: regexp.MustCompile("/one/"), log: io.Discard}
	results, err := p.measure(sections, someSamples(t))
	require.NoError(t, err)
	require.Len(t, results, 2)
	decode := results[0]

	assert.Equal(t, cell{bytes: 10, ns: 1000, fastest: 1000, allocs: -1}, decode.cells["fast"]["one"])
	assert.Equal(t, 1e9, decode.cells["slow"]["one"].ns)
	assert.Equal(t, "no such type", decode.cells["unable"]["one"].err)
	assert.Equal(t, "panics: index out of range", decode.cells["wild"]["one"].err)
	assert.Equal(t, []int{1, 1, 1, 1, 1}, slow, "to find out, and two turns of two")
	assert.Equal(t, []int{1000, 1000, 1000, 1000}, fast[len(fast)-4:], "as many as fill a turn")
	assert.NotContains(t, decode.cells["fast"], "two", "what -run leaves out")
	assert.Empty(t, results[1].cells["fast"], "what does not apply")

	ratio, ok := decode.ratio("slow", "one")
	require.True(t, ok)
	assert.Equal(t, 1e6, ratio)
	_, ok = decode.ratio("unable", "one")
	assert.False(t, ok)
	_, ok = decode.ratio("fast", "two")
	assert.False(t, ok)
}

func TestMeasureFails(t *testing.T) {
	broken := errors.New("broken pipe")
	sections := []section{{name: "decode", codecs: []codec{
		{"child", func(*workload) (op, error) {
			return op{run: func(int) (time.Duration, error) { return 0, broken }}, nil
		}},
	}}}
	_, err := plan{rounds: 1, turn: time.Millisecond, log: io.Discard}.measure(sections, someSamples(t))
	assert.ErrorIs(t, err, broken)
	assert.EqualError(t, err, "bench: decode one child: broken pipe")
}
