package elffile

import (
	"bytes"
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// source is a program and a library: greet is in the one or the other.
const source = `
#include <stdio.h>
int greet(const char *name) { return printf("hello %s\n", name); }
#ifdef MAIN
int main(void) { return greet("world") < 0; }
#endif
`

// built compiles the source with these flags.
func built(t *testing.T, flags ...string) string {
	t.Helper()
	gcc, err := exec.LookPath("gcc")
	if err != nil {
		t.Skip("there is no gcc")
	}
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a.c"), []byte(source), 0o644))
	out := filepath.Join(dir, "out")
	said, err := exec.Command(gcc, append(flags, "-o", out, filepath.Join(dir, "a.c"))...).CombinedOutput()
	require.NoError(t, err, string(said))
	return out
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	return b
}

func TestReadProgram(t *testing.T) {
	f, err := Read(read(t, built(t, "-g", "-DMAIN", "-Wl,-rpath,/one:/two")))
	require.NoError(t, err)
	assert.Contains(t, f.Needed, "libc.so.6")
	assert.NotEmpty(t, f.Versions["libc.so.6"])
	assert.Contains(t, f.Interp, "ld-linux")
	assert.Equal(t, []string{"/one", "/two"}, f.RunPath)
	assert.Equal(t, elf.ELFCLASS64, f.Class)
	assert.Empty(t, f.Soname)
}

func TestReadLibrary(t *testing.T) {
	versions := filepath.Join(t.TempDir(), "versions")
	require.NoError(t, os.WriteFile(versions, []byte("GREET_1 { global: greet; };\n"), 0o644))
	f, err := Read(read(t, built(t, "-shared", "-fPIC", "-Wl,-soname,libgreet.so.1", "-Wl,--version-script,"+versions)))
	require.NoError(t, err)
	assert.Equal(t, "libgreet.so.1", f.Soname)
	assert.Equal(t, []string{"GREET_1"}, f.Provides)
	assert.Empty(t, f.Interp)
}

func TestReadStatic(t *testing.T) {
	f, err := Read(read(t, built(t, "-static", "-DMAIN")))
	require.NoError(t, err)
	assert.Empty(t, f.Needed)
	assert.Empty(t, f.Versions)
}

func TestArch(t *testing.T) {
	for machine, arch := range map[elf.Machine]string{elf.EM_X86_64: "amd64", elf.EM_AARCH64: "arm64", elf.EM_386: "386"} {
		assert.Equal(t, arch, (&File{Machine: machine}).Arch())
	}
}

func TestStrippedProgramRuns(t *testing.T) {
	file := built(t, "-g", "-DMAIN")
	b := read(t, file)
	small, err := Strip(b)
	require.NoError(t, err)
	assert.Less(t, len(small), len(b))
	require.NoError(t, os.WriteFile(file, small, 0o755))
	said, err := exec.Command(file).Output()
	require.NoError(t, err)
	assert.Equal(t, "hello world\n", string(said))

	e, err := elf.NewFile(bytes.NewReader(small))
	require.NoError(t, err)
	assert.Nil(t, e.Section(".symtab"))
	assert.Nil(t, e.Section(".debug_info"))
	assert.NotNil(t, e.Section(".text"))
	again, err := Strip(small)
	require.NoError(t, err)
	assert.Equal(t, small, again)
	was, err := Read(b)
	require.NoError(t, err)
	is, err := Read(small)
	require.NoError(t, err)
	assert.Equal(t, was, is)
}

func TestStrippedLibraryIsLinked(t *testing.T) {
	library := built(t, "-g", "-shared", "-fPIC")
	small, err := Strip(read(t, library))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(library, small, 0o755))
	dir := t.TempDir()
	main := filepath.Join(dir, "main.c")
	require.NoError(t, os.WriteFile(main, []byte("int greet(const char *); int main(void) { return greet(\"you\") < 0; }"), 0o644))
	said, err := exec.Command("gcc", "-o", filepath.Join(dir, "main"), main, library).CombinedOutput()
	require.NoError(t, err, string(said))
	out, err := exec.Command(filepath.Join(dir, "main")).Output()
	require.NoError(t, err)
	assert.Equal(t, "hello you\n", string(out))
}

// A file that is cut off, or has a byte changed, is read or refused.
func TestDamaged(t *testing.T) {
	b := read(t, built(t, "-g", "-DMAIN"))
	for n := 0; n < len(b); n += 1 + n/64 {
		try(t, b[:n:n])
	}
	damaged := bytes.Clone(b)
	for i := range 1 << 13 {
		at := i
		if at >= headerSize*2 { // further on, more or less anywhere
			at = i * 7919 % len(b)
		}
		damaged[at] ^= 0xff
		try(t, damaged)
		damaged[at] = b[at]
	}
	_, err := Read([]byte("#!/bin/sh"))
	require.ErrorIs(t, err, ErrNotELF)
	_, err = Strip(nil)
	require.ErrorIs(t, err, ErrNotELF)
}

func try(t *testing.T, b []byte) {
	t.Helper()
	if _, err := Read(b); err != nil {
		require.ErrorIs(t, err, ErrNotELF)
	}
	if _, err := Strip(b); err != nil {
		require.ErrorIs(t, err, ErrNotELF)
	}
}

// What a program carries behind its end, it reads itself; and what is for linkers has
// sections that they need.
func TestStripLeavesWhatItDoesNotKnow(t *testing.T) {
	b := append(read(t, built(t, "-g", "-DMAIN")), "payload"...)
	same, err := Strip(b)
	require.NoError(t, err)
	assert.Equal(t, b, same)

	object := read(t, built(t, "-g", "-c"))
	same, err = Strip(object)
	require.NoError(t, err)
	assert.Equal(t, object, same)
}
