//go:build linux

package soak

import (
	"math/bits"
	"time"
)

// times counts durations in buckets that are an eighth of a power of two wide, so
// that hours of them take no memory. The zero value is empty.
type times struct {
	counts [64 * 8]uint64
	total  uint64
}

func bucketOf(d time.Duration) int {
	n := uint64(max(d, 8))
	shift := bits.Len64(n) - 4
	return shift*8 + int(n>>shift)
}

// least is the shortest duration of a bucket.
func least(bucket int) time.Duration {
	if bucket < 16 {
		return time.Duration(bucket)
	}
	shift := bucket/8 - 1
	return time.Duration(bucket-shift*8) << shift
}

func (t *times) add(d time.Duration) {
	t.counts[bucketOf(d)]++
	t.total++
}

// quantile is the duration that a share of all do not exceed, at most an eighth too
// high; 0 if there are none.
func (t *times) quantile(share float64) time.Duration {
	if t.total == 0 {
		return 0
	}
	rank := uint64(share * float64(t.total-1))
	var seen uint64
	for bucket, n := range t.counts {
		if seen += n; seen > rank {
			return least(bucket + 1)
		}
	}
	return 0
}
