package layer

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func sample(t *testing.T, order ...int) *contents {
	t.Helper()
	noise := make([]byte, 1<<16)
	for i := range noise {
		noise[i] = byte(rand.New(rand.NewPCG(1, uint64(i))).Uint32())
	}
	all := []entry{
		{name: "bin/run", part: "programs", executable: true, data: []byte(strings.Repeat("run", 1000)), source: 9000},
		{name: "a.txt", part: "texts", data: []byte("short")},
		{name: "ü.txt", part: "texts", data: []byte{}},
		{name: "noise", part: "noise", data: noise},
	}
	c := newContents()
	for _, i := range order {
		require.NoError(t, c.add(all[i]))
	}
	return c
}

// Whatever the order in which files come, the archive is the same: in the order of their
// names, with one date.
func TestArchive(t *testing.T) {
	var one, other bytes.Buffer
	var last int64
	report, err := sample(t, 0, 1, 2, 3).write(t.Context(), &one, allowance{}, func(done, total int64) {
		assert.Greater(t, done, last-1)
		assert.EqualValues(t, 3000+5+1<<16, total)
		last = done
	})
	require.NoError(t, err)
	assert.EqualValues(t, 3000+5+1<<16, last)
	_, err = sample(t, 3, 2, 1, 0).write(t.Context(), &other, allowance{}, nil)
	require.NoError(t, err)
	assert.Equal(t, one.Bytes(), other.Bytes())

	z, err := zip.NewReader(bytes.NewReader(one.Bytes()), int64(one.Len()))
	require.NoError(t, err)
	var names []string
	for _, f := range z.File {
		names = append(names, f.Name)
		want := fs.FileMode(0o644)
		if f.Name == "bin/run" {
			want = 0o755
		}
		assert.Equal(t, want, f.Mode(), f.Name)
		assert.Equal(t, time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC), f.Modified, f.Name)
		r, err := f.Open()
		require.NoError(t, err)
		b, err := io.ReadAll(r)
		require.NoError(t, err, "the sum is right")
		assert.Len(t, b, int(f.UncompressedSize64))
		if f.Name == "noise" {
			assert.Equal(t, zip.Store, f.Method, "what does not get smaller is kept as it is")
		}
	}
	assert.Equal(t, []string{"a.txt", "bin/run", "noise", "ü.txt"}, names)

	assert.Equal(t, []string{"programs", "texts", "noise"}, []string{report.Parts[0].Name, report.Parts[1].Name, report.Parts[2].Name})
	assert.Equal(t, 2, report.Parts[1].Files)
	assert.EqualValues(t, 9000, report.Parts[0].Source)
	assert.EqualValues(t, one.Len(), report.Total.Zipped)
	assert.Equal(t, 4, report.Total.Files)
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("the disk is full") }

func TestArchiveFailures(t *testing.T) {
	_, err := sample(t, 0, 3).write(t.Context(), broken{}, allowance{}, nil)
	assert.ErrorContains(t, err, "the disk is full")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = sample(t, 0, 3).write(ctx, io.Discard, allowance{}, nil)
	assert.ErrorIs(t, err, context.Canceled)

	c := sample(t, 0)
	assert.EqualError(t, c.add(entry{name: "bin/run"}), "layer: two files are to be packed as bin/run")

}

// An archive is bounded, with the layers beside it, and so by itself alone; what goes into
// an image is not.
func TestAllowance(t *testing.T) {
	archives, err := ParseTarget("provided.al2023", "amd64")
	require.NoError(t, err)
	image, err := ParseTarget("image:debian13", "amd64")
	require.NoError(t, err)
	assert.Equal(t, allowance{limit: 250 << 20, direct: 50 << 20, beside: 7, force: true}, archives.allowance(7, true))
	assert.Equal(t, allowance{}, image.allowance(7, true))

	const mb = 1 << 20
	noise := make([]byte, 2*mb)
	rand.NewChaCha8([32]byte{}).Read(noise)
	for _, c := range []struct {
		name    string
		data    []byte
		allowed allowance
		want    string // of the error, "" for none
		notes   []string
	}{
		{"the most", make([]byte, mb), allowance{limit: 3 * mb, direct: mb, beside: 2 * mb}, "", nil},
		{"with layers", make([]byte, mb+1), allowance{limit: 3 * mb, direct: mb, beside: 2 * mb},
			"layer: it is too large: with its layers, it would hold 3 MB, and a function with all its layers may hold 3: an image may hold more (--target image)", nil},
		{"alone", make([]byte, 2*mb), allowance{limit: mb, direct: mb},
			"layer: it is too large: it would hold 2 MB, and a function with all its layers may hold 1: an image may hold more (--target image)", nil},
		{"all the same", make([]byte, mb), allowance{limit: 2 * mb, direct: mb, beside: 2 * mb, force: true}, "",
			[]string{"packed although it is too large: with its layers, it would hold 3 MB, and a function with all its layers may hold 2"}},
		{"an image", noise, allowance{}, "", nil},
		{"from S3", noise, allowance{limit: 3 * mb, direct: mb}, "", []string{"the archive has 2 MB: Lambda takes more than 1 MB from S3 only"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := newContents()
			require.NoError(t, files.add(entry{name: "large", data: c.data}))
			report, err := files.write(t.Context(), io.Discard, c.allowed, nil)
			if c.want != "" {
				require.EqualError(t, err, c.want)
				require.ErrorIs(t, err, ErrTooLarge)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, c.notes, append(report.Notes, files.notes...))
			assert.Equal(t, c.allowed.limit, report.Limit)
			assert.EqualValues(t, int64(len(c.data))+c.allowed.beside, report.Unzipped)
		})
	}
}
