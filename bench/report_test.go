package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// aReport is a run with made-up figures: two workloads, of which one codec
// cannot do the second.
func aReport() report {
	codecs := []codec{{name: "etf.Decode"}, {name: "BEAM"}, {name: "erlang_go"}}
	return report{
		machine: machine{cpu: "a processor", cores: 2, os: "linux/amd64", golang: "go1.26", otp: "27", erts: "15.0", flavor: "jit", gcc: "12", date: "2026-11-23", peers: []string{"example.org/peer v1.2.3"}},
		plan:    plan{rounds: 3, turn: time.Millisecond},
		samples: []sample{{"small", "a small term", make([]byte, 40)}, {"large", "a large term", make([]byte, 2_000_000)}},
		results: []result{{
			section: section{name: "decode", title: "decode to a tree", codecs: codecs},
			cells: map[string]map[string]cell{
				"etf.Decode": {"small": {bytes: 40, ns: 100, fastest: 90, allocs: 2}, "large": {bytes: 2e6, ns: 1e6, fastest: 9e5, allocs: 1}},
				"BEAM":       {"small": {bytes: 40, ns: 200, fastest: 190, allocs: -1}, "large": {bytes: 2e6, ns: 8e5, fastest: 8e5, allocs: -1}},
				"erlang_go":  {"small": {bytes: 40, ns: 800, fastest: 700, allocs: 9, note: "rounds"}, "large": {err: "panics: no"}},
			},
		}},
	}
}

func TestReportText(t *testing.T) {
	text := aReport().text()
	assert.Contains(t, text, `a processor, 2 cores, linux/amd64, go1.26, OTP 27 (erts 15.0, jit), gcc 12, 2026-11-23
Medians of 3 rounds, and how many times as long as the first row of each part.

                          small        large    geomean
bytes of the term          40 B      2.00 MB

DECODE TO A TREE (etf.Decode = 1)
etf.Decode                100ns       1.00ms
BEAM                200ns 2.00×  800µs 0.80×      1.26×
erlang_go          800ns 8.00×*            –  8.00× (1)

* decode, small: erlang_go rounds
– decode, large: erlang_go cannot: panics: no
`)
	assert.Contains(t, text, "slower: large 0.80×  missed")
	assert.Contains(t, text, "8.00× over 1 workloads    held")
	assert.NotContains(t, text, "unmarshal", "what was not measured has no target")
}

func TestReportMarkdown(t *testing.T) {
	page := aReport().markdown()
	for _, part := range []string{
		"- Peers: example.org/peer v1.2.3;",
		"| small | 40 B | ? | a small term |\n",
		"| decode to a Term: at most 2 allocations | 2 (small) | held |\n",
		"\n## Decode to a tree\n\n|  | small | large | geomean |\n|---|---:|---:|---:|\n| etf.Decode | 100ns | 1.00ms |  |\n",
		"- decode, large: erlang_go cannot: panics: no\n",
		"| small, BEAM | 200ns | 190ns | 40 B | 200 |  |\n",
		"| large, etf.Decode | 1.00ms | 900µs | 2.00 MB | 2000 | 1 |\n",
	} {
		assert.Contains(t, page, part)
	}
}

func TestTargets(t *testing.T) {
	r := aReport()
	verdicts := map[string]string{}
	for _, line := range r.targetTable()[1:] {
		verdicts[line[0]] = line[2]
	}
	assert.Equal(t, map[string]string{
		"decode to a Term: at most 2 allocations":                  "held",
		"decode to a Term: faster than the BEAM on every workload": "missed",
		"decode to a Term: 6 times as fast as erlang_go (geomean)": "held",
	}, verdicts)

	r.results[0].cells["BEAM"]["large"] = cell{bytes: 2e6, ns: 1.1e6}
	shown, held, known := fasterEverywhere("decode", "etf.Decode", "BEAM")(r)
	require.True(t, known)
	assert.True(t, held)
	assert.Equal(t, "1.10× at least (large)", shown)

	shown, held, known = speedOf("decode", "etf.Decode", 1000)(r)
	require.True(t, known)
	assert.False(t, held)
	assert.Equal(t, "0.40 GB/s at least (small)", shown)
}
