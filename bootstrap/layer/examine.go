package layer

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Examination is what [Examine] has found.
type Examination struct {
	OTP        string // the folder, and the version of the emulator
	ERTS       string
	Elixir     string // the folder, "" if there is none
	ElixirVSN  string
	Binaries   []Binary // programs and libraries that a layer would hold
	Libraries  []string // of those, what the target lacks of shared libraries
	Problems   []Problem
	Incomplete error // why the preset cannot be made of what is installed, or nil
}

// Examine says what a layer would be made of, and what of it would not load on its
// target, without making it. Where there is no Erlang, that is the error.
func Examine(o Options) (*Examination, error) {
	b := &builder{Options: o, contents: newContents()}
	chosen := b.choose()
	if b.otp == nil {
		return nil, chosen
	}
	e := &Examination{OTP: b.otp.Root, ERTS: b.otp.erts, Incomplete: chosen}
	if found, err := readElixir(o.Elixir); err == nil && found != nil {
		e.Elixir = found.root
		if a := found.apps["elixir"]; a != nil {
			e.ElixirVSN = a.version
		}
	}
	if err := errors.Join(b.addEmulator(), b.addApps()); err != nil {
		return nil, err
	}
	var err error
	if e.Problems, err = b.addLibraries(o.Target, FindLibrary("/", o.Target.Arch)); err != nil {
		return nil, err
	}
	e.Libraries = b.packedLibraries()
	e.Binaries = b.binaries()
	return e, nil
}

// ExamineArchive says what of a layer, or of a function's archive or folder, would not
// load on a target. A function's may need libraries that are in its layer: more are the
// files of that, or nil.
func ExamineArchive(file string, t Target, more []Binary) ([]Binary, []Problem, error) {
	c := newContents()
	info, err := os.Stat(file)
	if err != nil {
		return nil, nil, fmt.Errorf("layer: %w", err)
	}
	if info.IsDir() {
		err = c.addTree(file, "", "", asItIs, nothing)
	} else {
		err = c.addArchive(file)
	}
	if err != nil {
		return nil, nil, err
	}
	own := c.binaries()
	ours := map[string]bool{}
	for _, b := range own {
		ours[b.Path] = true
	}
	var problems []Problem
	for _, p := range t.Check(append(own, more...)) {
		if ours[p.Path] {
			problems = append(problems, p)
		}
	}
	return own, merged(problems), nil
}

// addArchive reads a zip archive.
func (c *contents) addArchive(file string) error {
	z, err := zip.OpenReader(file)
	if err != nil {
		return fmt.Errorf("layer: %s: %w", file, err)
	}
	defer func() { _ = z.Close() }()
	for _, f := range z.File {
		if strings.HasSuffix(f.Name, "/") {
			continue
		}
		data, err := readZipped(f)
		if err == nil {
			err = c.add(entry{name: f.Name, data: data})
		}
		if err != nil {
			return fmt.Errorf("layer: %s: %s: %w", filepath.Base(file), f.Name, err)
		}
	}
	return nil
}

func readZipped(f *zip.File) ([]byte, error) {
	if f.UncompressedSize64 > MaxUnzipped {
		return nil, fmt.Errorf("it has %d MB, and Lambda takes %d at most", f.UncompressedSize64>>20, MaxUnzipped>>20)
	}
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	return io.ReadAll(io.LimitReader(r, MaxUnzipped))
}
