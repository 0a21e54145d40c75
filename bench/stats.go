package main

import (
	"math"
	"slices"
)

// median returns the middle value, or the mean of the two in the middle. The
// slice is not changed; it must not be empty.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// geomean returns the geometric mean of positive values, and NaN without any.
func geomean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += math.Log(v)
	}
	return math.Exp(sum / float64(len(values)))
}
