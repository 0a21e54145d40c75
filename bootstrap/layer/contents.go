package layer

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/beamport/beamport/internal/beamfile"
	"github.com/beamport/beamport/internal/elffile"
)

// entry is a file to be packed.
type entry struct {
	name       string // with slashes, from the root of the archive
	part       string // of the table that a report is
	executable bool
	data       []byte
	source     int64 // bytes before anything was left out of it
}

// contents are the files of an archive, in the order of their names once it is written.
type contents struct {
	entries []entry
	names   map[string]bool
}

func newContents() *contents { return &contents{names: map[string]bool{}} }

func (c *contents) add(e entry) error {
	if c.names[e.name] {
		return fmt.Errorf("layer: two files are to be packed as %s", e.name)
	}
	if e.source == 0 {
		e.source = int64(len(e.data))
	}
	c.names[e.name] = true
	c.entries = append(c.entries, e)
	return nil
}

// addFile packs a file of the machine. Modules and executables are stripped.
func (c *contents) addFile(file, name, part string) error {
	info, err := os.Stat(file)
	if err != nil {
		return fmt.Errorf("layer: %w", err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("layer: %w", err)
	}
	e := entry{name: name, part: part, executable: info.Mode()&0o111 != 0, source: int64(len(data))}
	if e.data, err = stripped(name, data); err != nil {
		return fmt.Errorf("layer: %s: %w", file, err)
	}
	return c.add(e)
}

// stripped is a file without what only tools read of it.
func stripped(name string, data []byte) ([]byte, error) {
	switch {
	case path.Ext(name) == ".beam":
		m, err := beamfile.Parse(data)
		if err != nil {
			return nil, err
		}
		return m.Strip(), nil
	case elffile.Is(data):
		return elffile.Strip(data)
	}
	return data, nil
}

// addTree packs a folder, but for what skip says, which is given names from the folder on.
// Symbolic links are followed where they lead to files. That there is no such folder is
// no error.
func (c *contents) addTree(dir, name, part string, skip func(string) bool) error {
	err := fs.WalkDir(os.DirFS(dir), ".", func(at string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if at != "." && skip(at) {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if d.IsDir() {
			return nil
		}
		file := filepath.Join(dir, filepath.FromSlash(at))
		info, err := os.Stat(file)
		if err != nil {
			return err
		}
		if info.IsDir() {
			return c.addTree(file, path.Join(name, at), part, func(within string) bool { return skip(path.Join(at, within)) })
		}
		if !info.Mode().IsRegular() {
			return nil
		}
		return c.addFile(file, path.Join(name, at), part)
	})
	if errors.Is(err, fs.ErrNotExist) && !exists(dir) {
		return nil
	}
	if err != nil && !strings.HasPrefix(err.Error(), "layer: ") {
		err = fmt.Errorf("layer: %w", err)
	}
	return err
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

// addApp packs an application: its modules, but for those named, and what it keeps in
// priv.
func (c *contents) addApp(a *app, name, part string, without ...string) error {
	err := c.addTree(filepath.Join(a.dir, "ebin"), name+"/ebin", part, func(file string) bool {
		return noModule(file) || slices.Contains(without, file)
	})
	if err != nil {
		return err
	}
	return c.addTree(filepath.Join(a.dir, "priv"), name+"/priv", part, unneeded)
}

// noModule are files of a folder of modules that an emulator has no use for.
func noModule(file string) bool { return path.Ext(file) != ".beam" && path.Ext(file) != ".app" }

// addHollow packs an application without its modules.
func (c *contents) addHollow(a *app, name, part string) error {
	return c.addFile(filepath.Join(a.dir, "ebin", a.name+".app"), name+"/ebin/"+a.name+".app", part)
}

// unneeded are files in priv that are left over from a build or there for its tests.
func unneeded(file string) bool {
	base := path.Base(file)
	return file == "obj" || slices.Contains([]string{".a", ".o", ".la", ".mk"}, path.Ext(file)) ||
		base == "Makefile" || base == "otp_test_engine.so"
}

// sort puts the files in the order of their names.
func (c *contents) sort() {
	slices.SortFunc(c.entries, func(a, b entry) int { return strings.Compare(a.name, b.name) })
}
