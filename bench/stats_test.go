package main

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestMedian(t *testing.T) {
	values := []float64{5, 1, 4}
	assert.Equal(t, 4.0, median(values))
	assert.Equal(t, []float64{5, 1, 4}, values, "the values keep their order")
	assert.Equal(t, 2.5, median([]float64{4, 1, 2, 3}))
	assert.Equal(t, 7.0, median([]float64{7}))
}

func TestGeomean(t *testing.T) {
	assert.InDelta(t, 4, geomean([]float64{2, 8}), 1e-12)
	assert.InDelta(t, 3, geomean([]float64{3}), 1e-12)
	assert.True(t, math.IsNaN(geomean(nil)))
}
