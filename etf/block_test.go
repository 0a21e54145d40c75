package etf_test

import (
	"bytes"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/internal/cases"
)

// TestTermsKeepTheirMemory holds on to small parts of decoded terms while the
// garbage collector runs all the time and others allocate: a part is enough to
// keep what it refers to.
func TestTermsKeepTheirMemory(t *testing.T) {
	var inputs [][]byte
	for _, c := range cases.All() {
		if c.Err == "" {
			inputs = append(inputs, c.Bytes)
		}
	}
	inputs = append(inputs, gatewayEvent(), invocation())

	done := make(chan struct{})
	var collector sync.WaitGroup
	collector.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				runtime.GC()
			}
		}
	})
	defer collector.Wait()
	defer close(done)

	rounds := 60
	if testing.Short() {
		rounds = 5
	}
	var workers sync.WaitGroup
	for _, o := range []etf.DecodeOptions{{}, {NoCopy: true}} {
		workers.Go(func() {
			type kept struct {
				part etf.Term
				want string
			}
			var parts []kept
			for range rounds {
				parts = parts[:0]
				for _, b := range inputs {
					input := bytes.Clone(b)
					term, err := o.Decode(input)
					if err != nil {
						t.Error(err)
						return
					}
					if !o.NoCopy {
						clear(input)
					}
					part := term
					for part.Len() > 0 && part.Kind() == etf.KindTuple || part.Kind() == etf.KindList && part.Len() > 0 {
						part = part.At(part.Len() - 1)
					}
					parts = append(parts, kept{part, part.String()})
				}
				for _, k := range parts {
					if got := k.part.String(); got != k.want {
						t.Errorf("%q became %q", k.want, got)
						return
					}
				}
			}
		})
	}
	workers.Wait()
	require.False(t, t.Failed())
}
