package etfjson_test

import (
	"encoding/json"
	"testing"

	"github.com/beamport/beamport/etf/etfjson"
)

var documents = []struct {
	name string
	json []byte
}{
	{"empty", []byte("{}")},
	{"event-5KB", event()},
	{"records-1MB", records(1 << 20)},
}

func BenchmarkAppendTerm(b *testing.B) {
	for _, d := range documents {
		b.Run(d.name, func(b *testing.B) {
			b.SetBytes(int64(len(d.json)))
			b.ReportAllocs()
			var dst []byte
			for b.Loop() {
				var err error
				if dst, err = etfjson.AppendTerm(dst[:0], d.json); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkAppendJSON(b *testing.B) {
	for _, d := range documents {
		term, err := etfjson.AppendTerm(nil, d.json)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(d.name, func(b *testing.B) {
			b.SetBytes(int64(len(d.json)))
			b.ReportAllocs()
			var dst []byte
			for b.Loop() {
				var err error
				if dst, err = etfjson.AppendJSON(dst[:0], term); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// The same work for encoding/json, as the measure.
func BenchmarkUnmarshalAny(b *testing.B) {
	for _, d := range documents {
		b.Run(d.name, func(b *testing.B) {
			b.SetBytes(int64(len(d.json)))
			b.ReportAllocs()
			for b.Loop() {
				var v any
				if err := json.Unmarshal(d.json, &v); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkMarshalAny(b *testing.B) {
	for _, d := range documents {
		var v any
		if err := json.Unmarshal(d.json, &v); err != nil {
			b.Fatal(err)
		}
		b.Run(d.name, func(b *testing.B) {
			b.SetBytes(int64(len(d.json)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := json.Marshal(v); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
