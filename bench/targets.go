package main

import (
	"fmt"
	"math"
	"strings"
)

// A target is something that the codecs are meant to reach.
type target struct {
	what string
	// figure returns what was measured and whether it is enough; known is false
	// where the run left it out.
	figure func(r report) (shown string, held, known bool)
}

// inPlace is the row of etf.Decode without a copy.
const inPlace = "  with NoCopy"

// targets are those of packages etf, etfjson, port and bootstrap.
var targets = []target{
	{"decode to a Term: at most 2 allocations", atMostAllocs("decode", "etf.Decode", 2)},
	{"decode to a Term: faster than the BEAM on every workload", fasterEverywhere("decode", "etf.Decode", "BEAM")},
	{"decode in place: faster than the BEAM on every workload", fasterEverywhere("decode", inPlace, "BEAM")},
	{"decode to a Term: 6 times as fast as erlang_go (geomean)", meanOf("decode", "erlang_go", 6)},
	{"decode to a Term: 4 times as fast as fxamacker/cbor to any (geomean)", meanOf("decode", "fxamacker/cbor", 4)},
	{"scan: 2 GB/s on every workload", speedOf("decode", "etf.Valid", 2000)},
	{"append a Term: no allocation", atMostAllocs("encode", "etf.Append", 0)},
	{"append a Term: faster than the BEAM on every workload", fasterEverywhere("encode", "etf.Append", "BEAM")},
	{"append a Term: 6 times as fast as erlang_go (geomean)", meanOf("encode", "erlang_go", 6)},
	{"unmarshal the event: 2.5 times as fast as fxamacker/cbor", ratioOf("unmarshal", "fxamacker/cbor", "event", 2.5)},
	{"unmarshal the event: 2 times as fast as sonic", ratioOf("unmarshal", "sonic", "event", 2)},
	{"marshal the event: 2 times as fast as fxamacker/cbor", ratioOf("marshal", "fxamacker/cbor", "event", 2)},
	{"JSON to a term: no allocation", atMostAllocs("fromjson", "etfjson.AppendTerm", 0)},
	{"JSON to a term: 5 times as fast as json.Unmarshal to any (geomean)", meanOf("fromjson", "encoding/json", 5)},
	{"a term to JSON: no allocation", atMostAllocs("tojson", "etfjson.AppendJSON", 0)},
	{"a term to JSON: 5 times as fast as json.Marshal of any (geomean)", meanOf("tojson", "encoding/json", 5)},
	{"warm invocation, {}: at most 0.85 of Go hello", invocationTarget("{}", 0.85)},
	{"warm invocation, 5 KB: at most 0.7 of Go hello", invocationTarget("5 KB", 0.7)},
	{"warm invocation, 1 MB: at most 0.4 of Go hello", invocationTarget("1 MB", 0.4)},
	{"port: a round trip takes 1.2 times as long as by hand", tripTarget(1.2)},
}

// result returns the section's result, an empty one if there is none.
func (r report) result(section string) result {
	for _, res := range r.results {
		if res.name == section {
			return res
		}
	}
	return result{}
}

func atMostAllocs(section, codecName string, most float64) func(r report) (string, bool, bool) {
	return func(r report) (string, bool, bool) {
		worst, where := -1.0, ""
		r.each(section, codecName, func(workload string, c cell) {
			if c.allocs > worst {
				worst, where = c.allocs, workload
			}
		})
		return fmt.Sprintf("%.0f (%s)", worst, where), worst <= most, worst >= 0
	}
}

// fasterEverywhere compares one of our codecs with another. Behind a workload that is
// lost stands what copying alone would have reached.
func fasterEverywhere(section, ours, codecName string) func(r report) (string, bool, bool) {
	return func(r report) (string, bool, bool) {
		res := r.result(section)
		least, where := math.Inf(1), ""
		var lost []string
		for _, s := range r.samples {
			other, ok := res.ratio(codecName, s.name)
			own, okOwn := res.ratio(ours, s.name)
			if !ok || !okOwn {
				continue
			}
			ratio := other / own
			if ratio < least {
				least, where = ratio, s.name
			}
			if ratio <= 1 {
				lost = append(lost, s.name+" "+times(ratio)+aboveCopy(res, other, s.name))
			}
		}
		if where == "" {
			return "", false, false
		}
		if len(lost) > 0 {
			return "slower: " + strings.Join(lost, ", "), false, true
		}
		return fmt.Sprintf("%s at least (%s)", times(least), where), true, true
	}
}

// aboveCopy says how much faster than a codec the copy alone is; other is how many
// times as long the codec takes as the first row.
func aboveCopy(r result, other float64, workload string) string {
	floor, ok := r.ratio(copyAlone, workload)
	if !ok {
		return ""
	}
	return fmt.Sprintf(" (the copy alone %s)", times(other/floor))
}

func meanOf(section, codecName string, least float64) func(r report) (string, bool, bool) {
	return func(r report) (string, bool, bool) {
		res := r.result(section)
		mean, n := res.geomean(codecName, r.samples)
		return fmt.Sprintf("%s over %d workloads", times(mean), n), mean >= least, n > 0
	}
}

func ratioOf(section, codecName, workload string, least float64) func(r report) (string, bool, bool) {
	return func(r report) (string, bool, bool) {
		res := r.result(section)
		ratio, ok := res.ratio(codecName, workload)
		return times(ratio), ratio >= least, ok
	}
}

func speedOf(section, codecName string, leastMBps float64) func(r report) (string, bool, bool) {
	return func(r report) (string, bool, bool) {
		least, where := math.Inf(1), ""
		r.each(section, codecName, func(workload string, c cell) {
			if c.mbps() < least {
				least, where = c.mbps(), workload
			}
		})
		return fmt.Sprintf("%s GB/s at least (%s)", significant(least/1000), where), least >= leastMBps, where != ""
	}
}

// each calls f for the workloads that the codec has figures of.
func (r report) each(section, codecName string, f func(workload string, c cell)) {
	res := r.result(section)
	for _, s := range r.samples {
		if c, ok := res.cells[codecName][s.name]; ok && c.err == "" {
			f(s.name, c)
		}
	}
}

// targetTable says of each target that the run knows about whether it holds.
func (r report) targetTable() table {
	t := table{{"target", "measured", ""}}
	for _, target := range targets {
		shown, held, known := target.figure(r)
		if !known {
			continue
		}
		verdict := "missed"
		if held {
			verdict = "held"
		}
		t = append(t, []string{target.what, shown, verdict})
	}
	return t
}
