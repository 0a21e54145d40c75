package etf

import (
	"compress/zlib"
	"encoding/binary"
	"errors"
	"math"
	"sync"

	"github.com/beamport/beamport/etf/internal/wire"
)

// A deflater is a zlib writer to be used again: a new one takes up to 1 MiB.
type deflater struct {
	out  limitedBuffer
	zlib *zlib.Writer
}

// deflaters has a pool for each level.
var deflaters [10]sync.Pool

// A limitedBuffer takes up to a length, and then refuses.
type limitedBuffer struct {
	b   []byte
	max int
}

var errNotSmaller = errors.New("no smaller than it was")

func (l *limitedBuffer) Write(p []byte) (int, error) {
	if len(p) > l.max-len(l.b) {
		return 0, errNotSmaller
	}
	l.b = append(l.b, p...)
	return len(p), nil
}

// compress compresses the term that starts with the version byte at start, and
// is the rest of b, if it becomes smaller. The stream is put behind the term
// first, and then in its place, so that there is no other buffer.
func compress(b []byte, start, level int) []byte {
	content := b[start+1:]
	if len(content) <= wire.CompressedHeadLen || uint64(len(content)) > math.MaxUint32 {
		return b
	}
	d, ok := deflaters[level].Get().(*deflater)
	if !ok {
		d = new(deflater)
		d.zlib, _ = zlib.NewWriterLevel(&d.out, level) // fails for other levels only
	}
	defer deflaters[level].Put(d)
	d.out = limitedBuffer{b: b, max: len(b) + len(content) - wire.CompressedHeadLen - 1}
	defer func() { d.out = limitedBuffer{} }()
	d.zlib.Reset(&d.out)
	if _, err := d.zlib.Write(content); err != nil {
		return b
	}
	if err := d.zlib.Close(); err != nil {
		return b
	}
	packed := d.out.b[len(b):]
	size := uint32(len(content))
	b = append(d.out.b[:start+1], wire.Compressed)
	b = binary.BigEndian.AppendUint32(b, size)
	return append(b, packed...)
}
