package main

import (
	"runtime"
	"strings"

	"github.com/beamport/beamport/etf"
)

// copyAlone is the row of what a codec with memory of its own cannot go below: it
// takes the memory and fills it, looking at nothing.
const copyAlone = "  copy alone"

// copyToNew takes as much memory as the tree does, uncleared and without pointers
// as the tree's is, and fills it with copies of the encoded term.
func copyToNew(w *workload) (op, error) {
	encoded := w.etf
	size, err := decodedSize(encoded)
	if err != nil {
		return op{}, err
	}
	return goOp(len(encoded), func() error {
		var b strings.Builder
		b.Grow(size)
		for left := size; left > 0; left -= len(encoded) {
			b.Write(encoded[:min(left, len(encoded))])
		}
		return nil
	}), nil
}

// decodedSize returns how many bytes etf.Decode allocates for an encoded term.
func decodedSize(encoded []byte) (int, error) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := etf.Decode(encoded)
	runtime.ReadMemStats(&after)
	return max(len(encoded), int(after.TotalAlloc-before.TotalAlloc)), err
}

// copyToBuffer copies the encoded term to a buffer that is used again.
func copyToBuffer(w *workload) (op, error) {
	encoded := w.etf
	buffer := make([]byte, 0, len(encoded))
	return goOp(len(encoded), func() error {
		buffer = append(buffer[:0], encoded...)
		return nil
	}), nil
}
