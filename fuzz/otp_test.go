package fuzz_test

import (
	"encoding/binary"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/internal/cases"
	"github.com/beamport/beamport/internal/otporacle"
)

// variants is how many damaged forms of an input go to the emulator with it:
// a question takes far longer than one more input in it.
const variants = 15

// question is how many inputs an emulator is asked about at once. When it has died of
// some, the rest are left out: package internal/fuzz allows an input 10 s, and a new
// emulator takes its time on a busy machine.
const question = 4

// FuzzOTP has an emulator decode an input and variants of it, and encode them
// again: package etf does the same, but for the differences that otporacle.Known
// knows.
func FuzzOTP(f *testing.F) {
	addTerms(f)
	// Each worker has one of its own, before there is anything that may not take
	// longer than package internal/fuzz allows an input: 10 s.
	oracle, err := otporacle.Start()
	require.NoError(f, err)
	oracle.Patience = 3 * time.Second
	f.Cleanup(func() { require.NoError(f, oracle.Stop()) })
	f.Fuzz(func(t *testing.T, b []byte) {
		inputs := [][]byte{b}
		seed := fnv.New64a()
		seed.Write(b)
		random := rand.New(rand.NewPCG(seed.Sum64(), 1))
		for range variants {
			if variant := damaged(random, b); !otporacle.Deadly(variant) {
				inputs = append(inputs, variant)
			}
		}
		// The emulator allocates whatever a compressed term claims.
		inputs = slices.DeleteFunc(inputs, func(b []byte) bool { return len(b) > 5 && b[1] == 80 && binary.BigEndian.Uint32(b[2:]) > 1<<20 })

		for some := range slices.Chunk(inputs, question) {
			starts := oracle.Starts()
			answers, err := oracle.Reencode(some)
			require.NoError(t, err)
			for i, answer := range answers {
				if _, ok := otporacle.Known(some[i], answer); !ok {
					term, _, err := etf.DecodePrefix(some[i])
					require.Fail(t, "an unknown difference", "%q: %s, %v; the emulator %s it: %q",
						some[i], term, err, answer.Verdict, answer.Encoded)
				}
			}
			if oracle.Starts() > starts {
				return
			}
		}
	})
}

// damaged returns b with one to three changes.
func damaged(random *rand.Rand, b []byte) []byte {
	b = slices.Clone(b)
	for range 1 + random.IntN(3) {
		if len(b) < 2 {
			return []byte{131}
		}
		i := 1 + random.IntN(len(b)-1)
		switch random.IntN(6) {
		case 0:
			b[i] = byte(random.Uint32())
		case 1:
			b[i] += byte(random.IntN(5)) - 2
		case 2:
			b[i] = []byte{0, 1, 8, 255, 67, 70, 77, 97, 98, 100, 104, 106, 107, 108, 109, 110, 112, 113, 116, 119}[random.IntN(20)]
		case 3:
			b = slices.Delete(b, i, min(i+1+random.IntN(4), len(b)))
		case 4:
			b = slices.Insert(b, i, b[i:i+random.IntN(min(12, len(b)-i)+1)]...)
		case 5: // the largest count
			copy(b[i:], cases.U32(-1-random.IntN(3)))
		}
	}
	return b
}
