// Command bench holds packages etf and etfjson against their peers: other
// codecs of the External Term Format in Go, the BEAM's own, Erlang's C library,
// and what Go programs use for JSON, CBOR and MessagePack.
//
//	cd bench
//	go run .                     # the table, some minutes
//	go run . -short              # the same with less precision
//	go run . -run decode/event   # only the rows whose section/workload/codec matches
//	go run . -o ../BENCHMARKS.md # also as Markdown, with more figures
//
// It needs erl and erlc, and gcc with ei.h and libei (Debian's erlang-dev).
//
// # What is measured
//
// The workloads come from a real BEAM, see erl/bench_terms.erl, and every codec
// reads and writes the same data: those of other formats as JSON, CBOR or
// MessagePack have it, with maps as objects, tuples as arrays, atoms and text as
// strings. Before a codec is timed it has to show that it decodes what was
// encoded; one that cannot is listed with the reason and gets no figure.
//
// Codecs take turns, a short time each, for a number of rounds, so that what
// else the machine does falls on all of them alike. A figure is the median of
// the rounds. In front of each turn the heap is collected, so that nobody pays
// for another's garbage, and the turn begins untimed; the collections during it
// are the codec's own. All of it happens on one processor (GOMAXPROCS=1): Go's
// collector has no other to run on, as the BEAM's has not. The BEAM decodes in a
// process of its own with a fresh heap, and its collections count as well; C
// frees each tree that it has built.
//
// json/v2 is github.com/go-json-experiment/json v1.27.2, which is the code of
// encoding/json/v2, so that both versions can be measured in one run.
//
// # With benchstat
//
// The same codecs and workloads are Go benchmarks:
//
//	go test -run '^$' -bench . -cpu 1 -count 6 | tee new.txt
//	go run golang.org/x/perf/cmd/benchstat@latest -col /codec new.txt
//	go run golang.org/x/perf/cmd/benchstat@latest -filter '/codec:(etf.Decode OR BEAM OR erlang_go)' -col /codec new.txt
//
// The first column that benchstat prints is the base of the comparison; a filter
// that is in another order does not change it, but -col '/codec@(BEAM etf.Decode)'
// does.
package main
