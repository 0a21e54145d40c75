// Package elffile reads what an ELF file needs to be loaded, and strips it.
//
// The format: https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html, and of the
// versions of symbols
// https://refspecs.linuxfoundation.org/LSB_5.0.0/LSB-Core-generic/LSB-Core-generic/symversion.html.
package elffile

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrNotELF says that a file is none for ELF's loaders.
var ErrNotELF = errors.New("elffile: not an ELF file")

// magic is how such a file begins.
var magic = []byte("\x7fELF")

// Is says whether b begins as an ELF file does.
func Is(b []byte) bool { return bytes.HasPrefix(b, magic) }

// File is what a program or a shared library says of itself.
type File struct {
	Machine elf.Machine
	Class   elf.Class
	Type    elf.Type
	// Interp is the loader of a program, "" of a library and of a static program.
	Interp string
	// Soname is the name that a library is needed by, if it has one.
	Soname string
	// Needed are the names of the libraries that have to be loaded with it, and RunPath
	// the folders where it says they are.
	Needed, RunPath []string
	// Versions are those that it needs of each library, such as GLIBC_2.34 of libc.so.6.
	Versions map[string][]string
	// Provides are the versions that it has, if it is a library.
	Provides []string
}

// Read reads the head and the dynamic section of a file. The error wraps [ErrNotELF] if
// it is none, or is damaged.
func Read(b []byte) (*File, error) {
	if !Is(b) {
		return nil, ErrNotELF
	}
	e, err := elf.NewFile(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotELF, err)
	}
	f := &File{Machine: e.Machine, Class: e.Class, Type: e.Type, Versions: map[string][]string{}}
	for _, p := range e.Progs {
		if p.Type != elf.PT_INTERP || p.Filesz > 4096 {
			continue
		}
		name := make([]byte, p.Filesz)
		if _, err := p.ReadAt(name, 0); err != nil {
			return nil, fmt.Errorf("%w: the name of its loader: %w", ErrNotELF, err)
		}
		f.Interp = string(bytes.TrimRight(name, "\x00"))
	}
	if err := f.readDynamic(e); err != nil {
		return nil, fmt.Errorf("%w: its dynamic section: %w", ErrNotELF, err)
	}
	return f, nil
}

func (f *File) readDynamic(e *elf.File) error {
	strings := func(tag elf.DynTag) []string {
		all, err := e.DynString(tag)
		if err != nil {
			return nil // a static program has none
		}
		return all
	}
	f.Needed = strings(elf.DT_NEEDED)
	if names := strings(elf.DT_SONAME); len(names) > 0 {
		f.Soname = names[0]
	}
	f.RunPath = folders(slices.Concat(strings(elf.DT_RUNPATH), strings(elf.DT_RPATH)))
	if e.SectionByType(elf.SHT_GNU_VERNEED) != nil {
		needs, err := e.DynamicVersionNeeds()
		if err != nil {
			return err
		}
		for _, need := range needs {
			for _, version := range need.Needs {
				// A weak need is one that the loader only warns of.
				if version.Flags&elf.VER_FLG_WEAK == 0 {
					f.Versions[need.Name] = append(f.Versions[need.Name], version.Dep)
				}
			}
		}
	}
	if e.SectionByType(elf.SHT_GNU_VERDEF) != nil {
		defined, err := e.DynamicVersions()
		if err != nil {
			return err
		}
		for _, version := range defined {
			if version.Flags&elf.VER_FLG_BASE == 0 {
				f.Provides = append(f.Provides, version.Name)
			}
		}
	}
	return nil
}

func folders(lists []string) []string {
	var all []string
	for _, list := range lists {
		all = append(all, strings.Split(list, ":")...)
	}
	return all
}

// Arch is the name that Go has for the machine: amd64 or arm64, or what ELF calls it.
func (f *File) Arch() string {
	switch f.Machine {
	case elf.EM_X86_64:
		return "amd64"
	case elf.EM_AARCH64:
		return "arm64"
	}
	return strings.ToLower(strings.TrimPrefix(f.Machine.String(), "EM_"))
}
