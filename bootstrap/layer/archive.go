package layer

import (
	"archive/zip"
	"bytes"
	"cmp"
	"compress/flate"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
)

// Limits of Lambda: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const (
	// MaxUnzipped is what a function and its layers may hold together.
	MaxUnzipped = 250 << 20
	// maxDirect is the largest archive that can be uploaded without S3.
	maxDirect = 50 << 20
)

// ErrTooLarge says that an archive would hold more than Lambda takes.
var ErrTooLarge = errors.New("layer: it is too large")

// firstDate is the date of all files, and the first that an archive can hold: 1 January
// 1980, in MS-DOS's form.
const firstDate = 1<<5 | 1

// headerSize is what an archive holds of a file besides its data and twice its name.
const headerSize = 30 + 46

// Part is a line of a [Report].
type Part struct {
	Name   string
	Files  int
	Source int64 // bytes before debugging information and symbols were left out
	Raw    int64 // bytes as they are packed
	Zipped int64 // of them in the archive
}

// Report says what was packed.
type Report struct {
	Parts []Part // in the order in which they came first
	// Total is the sum; its Zipped is the size of the archive.
	Total Part
	// Unzipped is what Lambda counts: all of this, and of the layers that it was told of.
	// It allows Limit, or anything if that is 0, as in an image.
	Unzipped, Limit int64
	// Notes are sentences for whoever has it packed.
	Notes []string
}

// deflated is a file as it is in an archive.
type deflated struct {
	header *zip.FileHeader
	data   []byte
}

// deflate compresses one. Its header needs no descriptor behind the data, and no fields
// for a time zone: of some hundred files, those are a fiftieth of a layer.
func deflate(e entry) (deflated, error) {
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.BestCompression)
	if err == nil {
		_, err = w.Write(e.data)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return deflated{}, fmt.Errorf("layer: compressing %s: %w", e.name, err)
	}
	h := &zip.FileHeader{Name: e.name, Method: zip.Deflate, CRC32: crc32.ChecksumIEEE(e.data), UncompressedSize64: uint64(len(e.data))}
	data := out.Bytes()
	if len(data) >= len(e.data) {
		h.Method, data = zip.Store, e.data
	}
	h.CompressedSize64 = uint64(len(data))
	if !ascii(e.name) {
		h.Flags |= 1 << 11 // the name is UTF-8
	}
	//lint:ignore SA1019 Modified is for headers that CreateHeader completes, with fields of their own.
	h.ModifiedDate = firstDate
	h.SetMode(0o644)
	if e.executable {
		h.SetMode(0o755)
	}
	return deflated{h, data}, nil
}

func ascii(s string) bool { return strings.IndexFunc(s, func(r rune) bool { return r >= 0x80 }) < 0 }

// allowance is what an archive may hold.
type allowance struct {
	limit  int64 // unzipped, 0 for anything
	direct int64 // zipped, that can be uploaded without S3
	beside int64 // of what is unzipped, what others hold that count too
	force  bool  // whether more is packed all the same
}

// allowance is that of archives, or of what goes into an image.
func (t Target) allowance(beside int64, force bool) allowance {
	if t.image() {
		return allowance{}
	}
	return allowance{limit: MaxUnzipped, direct: maxDirect, beside: beside, force: force}
}

// write writes the archive. progress is called with the share done, of bytes.
func (c *contents) write(ctx context.Context, w io.Writer, allowed allowance, progress func(done, total int64)) (*Report, error) {
	r := &Report{Total: Part{Name: "total"}, Limit: allowed.limit}
	at := map[string]int{}
	for _, e := range c.entries {
		if _, known := at[e.part]; !known {
			at[e.part] = len(r.Parts)
			r.Parts = append(r.Parts, Part{Name: e.part})
		}
		r.Total.Raw += int64(len(e.data))
		r.Total.Source += e.source
		r.Total.Files++
	}
	r.Unzipped = r.Total.Raw + allowed.beside
	if allowed.limit > 0 && r.Unzipped > allowed.limit {
		text := fmt.Sprintf("it would hold %d MB, and a function with all its layers may hold %d", r.Unzipped>>20, allowed.limit>>20)
		if allowed.beside > 0 {
			text = "with its layers, " + text
		}
		if !allowed.force {
			return nil, fmt.Errorf("%w: %s: an image may hold more (--target image)", ErrTooLarge, text)
		}
		c.note("packed although it is too large: " + text)
	}
	c.sort()
	files, err := c.deflateAll(ctx, progress, r.Total.Raw)
	if err != nil {
		return nil, err
	}
	out := &counter{w: w}
	z := zip.NewWriter(out)
	for i, e := range c.entries {
		file, err := z.CreateRaw(files[i].header)
		if err == nil {
			_, err = file.Write(files[i].data)
		}
		if err != nil {
			return nil, fmt.Errorf("layer: writing %s: %w", e.name, err)
		}
		part := &r.Parts[at[e.part]]
		part.Files++
		part.Source += e.source
		part.Raw += int64(len(e.data))
		part.Zipped += int64(len(files[i].data) + headerSize + 2*len(e.name))
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("layer: %w", err)
	}
	r.Total.Zipped = out.n
	if allowed.limit > 0 && r.Total.Zipped > allowed.direct {
		r.Notes = append(r.Notes, fmt.Sprintf("the archive has %d MB: Lambda takes more than %d MB from S3 only", r.Total.Zipped>>20, allowed.direct>>20))
	}
	return r, nil
}

// deflateAll compresses all files, as many at a time as there are processors.
func (c *contents) deflateAll(ctx context.Context, progress func(done, total int64), total int64) ([]deflated, error) {
	files := make([]deflated, len(c.entries))
	var next, done atomic.Int64
	var mu sync.Mutex // of progress and failed
	var failed error
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(files) || ctx.Err() != nil {
					return
				}
				file, err := deflate(c.entries[i])
				files[i] = file
				mu.Lock()
				failed = cmp.Or(failed, err)
				if sum := done.Add(int64(len(c.entries[i].data))); progress != nil {
					progress(sum, total)
				}
				mu.Unlock()
			}
		})
	}
	workers.Wait()
	if err := cmp.Or(failed, ctx.Err()); err != nil {
		return nil, err
	}
	return files, nil
}

// counter counts what is written.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, err
}
