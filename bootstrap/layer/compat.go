package layer

import (
	"debug/elf"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/beamport/beamport/internal/elffile"
)

// ErrIncompatible says that something would not load on the target.
var ErrIncompatible = errors.New("layer: it would not load")

// Binary is a program or a shared library that is packed.
type Binary struct {
	// Path is its name in the archive.
	Path string
	// File is what it says of itself.
	File *elffile.File
}

// Problem is a reason why a binary would not load on a target.
type Problem struct {
	// Path is the binary's name in the archive.
	Path string
	// Others is how many more have the same problem.
	Others int
	text   string
}

// String is one sentence: what would not load, why, and what to do.
func (p Problem) String() string {
	if p.Others > 0 {
		return fmt.Sprintf("%s (and %d more) %s", p.Path, p.Others, p.text)
	}
	return p.Path + " " + p.text
}

// merged has problems of several binaries that are the same told once.
func merged(problems []Problem) []Problem {
	var all []Problem
	for _, p := range problems {
		if i := slices.IndexFunc(all, func(first Problem) bool { return first.text == p.text }); i >= 0 {
			all[i].Others++
			continue
		}
		all = append(all, p)
	}
	return all
}

// Check says which of the binaries packed together would not load on the target, and why.
func (t Target) Check(packed []Binary) []Problem {
	libraries := map[string]*elffile.File{}
	for _, b := range packed {
		libraries[path.Base(b.Path)] = b.File
		if b.File.Soname != "" {
			libraries[b.File.Soname] = b.File
		}
	}
	var problems []Problem
	for _, b := range packed {
		for _, text := range t.check(b.File, libraries) {
			problems = append(problems, Problem{Path: b.Path, text: text})
		}
	}
	return problems
}

func (t Target) check(f *elffile.File, packed map[string]*elffile.File) []string {
	if f.Arch() != t.Arch || f.Class != elf.ELFCLASS64 {
		return []string{fmt.Sprintf("is for %s, and the target is for %s: take one for that, or name the architecture with --arch", f.Arch(), t.Arch)}
	}
	if f.Interp != "" && f.Interp != loaders[t.Arch] {
		return []string{fmt.Sprintf("needs the loader %s, which %s does not have: take one that was built for glibc", f.Interp, t.Name)}
	}
	var problems []string
	for _, needed := range f.Needed {
		library := packed[needed]
		if library == nil && !t.has(needed) {
			problems = append(problems, fmt.Sprintf("needs %s, which is neither in %s nor on this machine: install it here, and it is packed", needed, t.Name))
			continue
		}
		if missing, has := t.missing(f.Versions[needed], library); missing != "" {
			problems = append(problems, fmt.Sprintf("needs %s of %s, and %s has %s: %s", missing, needed, t.Name, has, t.base.instead))
		}
	}
	return problems
}

// missing is the latest of the versions that a library does not have: the one packed,
// or else the target's.
func (t Target) missing(versions []string, packed *elffile.File) (missing, has string) {
	for _, version := range versions {
		var latest string
		var ok bool
		if packed != nil {
			ok = slices.Contains(packed.Provides, version) || len(packed.Provides) == 0
			latest = "another one packed"
		} else {
			latest, ok = t.hasVersion(version)
		}
		if !ok && (missing == "" || compareVersions(missing, version) < 0) {
			missing, has = version, latest
		}
	}
	return missing, has
}

// Libraries are the shared libraries, by name, that have to be packed with binaries since
// the target lacks them, with the files on this machine that find says they are. Those
// that it does not find are left for [Target.Check].
func (t Target) Libraries(packed []Binary, find func(soname string) (file string, ok bool)) (map[string]string, error) {
	known := map[string]bool{}
	var queue []string
	for _, b := range packed {
		known[path.Base(b.Path)], known[b.File.Soname] = true, true
		queue = append(queue, b.File.Needed...)
	}
	files := map[string]string{}
	for len(queue) > 0 {
		name := queue[0]
		queue = queue[1:]
		if known[name] || t.has(name) {
			continue
		}
		known[name] = true
		file, ok := find(name)
		if !ok {
			continue
		}
		b, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("layer: %w", err)
		}
		library, err := elffile.Read(b)
		if err != nil {
			return nil, fmt.Errorf("layer: %s: %w", file, err)
		}
		files[name] = file
		queue = append(queue, library.Needed...)
	}
	return files, nil
}

// multiarch are the names of the folders that Debian has for a machine.
var multiarch = map[string]string{"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu"}

// FindLibrary finds shared libraries of an architecture in the folders of the system
// whose root folder is given, "/" for that of the machine.
func FindLibrary(root, arch string) func(soname string) (file string, ok bool) {
	var dirs []string
	for _, dir := range []string{"lib/" + multiarch[arch], "usr/lib/" + multiarch[arch], "lib64", "usr/lib64", "usr/local/lib64", "usr/local/lib", "lib", "usr/lib"} {
		dirs = append(dirs, filepath.Join(root, dir))
	}
	return func(soname string) (string, bool) {
		if soname != filepath.Base(soname) {
			return "", false
		}
		for _, dir := range dirs {
			file := filepath.Join(dir, soname)
			b, err := os.ReadFile(file)
			if err != nil {
				continue
			}
			if f, err := elffile.Read(b); err == nil && f.Arch() == arch && f.Class == elf.ELFCLASS64 {
				return file, true
			}
		}
		return "", false
	}
}

// incompatible is the error that says all problems.
func incompatible(problems []Problem) error {
	if len(problems) == 0 {
		return nil
	}
	text := make([]string, len(problems))
	for i, p := range problems {
		text[i] = p.String()
	}
	return fmt.Errorf("%w: %s", ErrIncompatible, strings.Join(text, "\n"))
}

// binaries are the programs and shared libraries among what is packed.
func (c *contents) binaries() []Binary {
	var all []Binary
	for _, e := range c.entries {
		if !elffile.Is(e.data) {
			continue
		}
		f, err := elffile.Read(e.data)
		switch {
		case err != nil:
			c.note(e.name + " begins as a program or a library does and cannot be read as one: it is packed as it is")
		case f.Type == elf.ET_EXEC || f.Type == elf.ET_DYN: // others are not for the loader
			all = append(all, Binary{e.name, f})
		}
	}
	return all
}

// addLibraries packs the shared libraries that the target lacks into lib/, and checks
// that all that is packed then loads.
func (c *contents) addLibraries(t Target, find func(string) (string, bool)) ([]Problem, error) {
	files, err := t.Libraries(c.binaries(), find)
	if err != nil {
		return nil, err
	}
	c.libraries = files
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := c.addFile(files[name], "lib/"+name, "shared libraries", stripped); err != nil {
			return nil, err
		}
	}
	return merged(t.Check(c.binaries())), nil
}
