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
	notes   []string // for whoever has it packed
	// libraries are the files of the machine that those in lib were.
	libraries map[string]string
}

func newContents() *contents { return &contents{names: map[string]bool{}} }

// note adds a sentence for whoever has it packed.
func (c *contents) note(text string) {
	if !slices.Contains(c.notes, text) {
		c.notes = append(c.notes, text)
	}
}

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

// A form says what is packed of a file with that name.
type form func(name string, data []byte) ([]byte, error)

// asItIs is the form of what only its owner knows.
func asItIs(_ string, data []byte) ([]byte, error) { return data, nil }

// addFile packs a file of the machine.
func (c *contents) addFile(file, name, part string, as form) error {
	info, err := os.Stat(file)
	if err != nil {
		return fmt.Errorf("layer: %w", err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("layer: %w", err)
	}
	e := entry{name: name, part: part, executable: info.Mode()&0o111 != 0, source: int64(len(data))}
	if e.data, err = as(name, data); err != nil {
		return fmt.Errorf("layer: %s: %w", file, err)
	}
	return c.add(e)
}

// stripped is a module, a program or a library without what only tools read of it.
func stripped(name string, data []byte) ([]byte, error) {
	return strip(name, data, func(*beamfile.Module) []string { return nil })
}

// compilable is the same, with what Elixir's compiler reads: of all modules, what calls of
// them are checked against; of protocols, what it consolidates them from.
func compilable(name string, data []byte) ([]byte, error) {
	return strip(name, data, func(m *beamfile.Module) []string {
		if isProtocol(m) {
			return []string{"ExCk", "Dbgi"}
		}
		return []string{"ExCk"}
	})
}

// isProtocol says whether a module is one of Elixir's protocols.
func isProtocol(m *beamfile.Module) bool {
	return slices.Contains(m.Exports, beamfile.FA{Function: "__protocol__", Arity: 1})
}

func strip(name string, data []byte, keep func(*beamfile.Module) []string) ([]byte, error) {
	switch {
	case path.Ext(name) == ".beam":
		m, err := beamfile.Parse(data)
		if err != nil {
			return nil, err
		}
		return m.Strip(keep(m)...), nil
	case elffile.Is(data):
		return elffile.Strip(data)
	}
	return data, nil
}

// addTree packs a folder, but for what skip says, which is given names from the folder on.
// Symbolic links are followed. That there is no such folder is no error.
func (c *contents) addTree(dir, name, part string, as form, skip func(string) bool) error {
	return c.addTreeWithin(nil, dir, name, part, as, skip)
}

// addTreeWithin is addTree of a folder that is in others.
func (c *contents) addTreeWithin(outer []string, dir, name, part string, as form, skip func(string) bool) error {
	within, err := filepath.EvalSymlinks(dir)
	if err != nil {
		within = dir
	}
	for _, folder := range outer {
		if folder == within || strings.HasPrefix(folder, within+string(filepath.Separator)) {
			return fmt.Errorf("layer: %s leads back to %s, which it is in: the folder has no end", dir, within)
		}
	}
	outer = append(slices.Clone(outer), within)
	err = fs.WalkDir(os.DirFS(dir), ".", func(at string, d fs.DirEntry, err error) error {
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
			outer := append(slices.Clone(outer), filepath.Dir(filepath.Join(within, filepath.FromSlash(at))))
			return c.addTreeWithin(outer, file, path.Join(name, at), part, as, func(within string) bool { return skip(path.Join(at, within)) })
		}
		if !info.Mode().IsRegular() {
			return nil
		}
		return c.addFile(file, path.Join(name, at), part, as)
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

// addApp packs an application of Erlang's or Elixir's: its modules, but for those named,
// and what it keeps in priv.
func (c *contents) addApp(a *app, name, part string, as form, without ...string) error {
	err := c.addTree(filepath.Join(a.dir, "ebin"), name+"/ebin", part, as, func(file string) bool {
		return noModule(file) || slices.Contains(without, file)
	})
	if err != nil {
		return err
	}
	return c.addTree(filepath.Join(a.dir, "priv"), name+"/priv", part, as, unneeded)
}

// addHeaders packs what code that is compiled may include of an application.
func (c *contents) addHeaders(a *app, name, part string) error {
	return c.addTree(filepath.Join(a.dir, "include"), name+"/include", part, asItIs, func(file string) bool { return path.Ext(file) != ".hrl" })
}

// noModule are files of a folder of modules that an emulator has no use for.
func noModule(file string) bool { return path.Ext(file) != ".beam" && path.Ext(file) != ".app" }

// addHollow packs an application without its modules.
func (c *contents) addHollow(a *app, name, part string) error {
	return c.addFile(filepath.Join(a.dir, "ebin", a.name+".app"), name+"/ebin/"+a.name+".app", part, asItIs)
}

// unneeded are files in priv of Erlang's applications that are left over from a build or
// there for its tests.
func unneeded(file string) bool {
	base := path.Base(file)
	return file == "obj" || slices.Contains([]string{".a", ".o", ".la", ".mk"}, path.Ext(file)) ||
		base == "Makefile" || base == "otp_test_engine.so"
}

// sort puts the files in the order of their names.
func (c *contents) sort() {
	slices.SortFunc(c.entries, func(a, b entry) int { return strings.Compare(a.name, b.name) })
}
