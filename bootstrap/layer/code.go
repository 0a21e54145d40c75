package layer

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// taskCode is compiled code in the form that a task root has: what is packed of it, and
// where.
type taskCode struct {
	// root stands for the task root.
	root string
	// dirs are the folders of modules in it, those that come first on the code path
	// first.
	dirs []string
	// apps are the applications there.
	apps apps
	// config is the environment of applications, by their names.
	config map[string][]setting
	// notes are for whoever has it packed.
	notes []string
}

// readCode reads the compiled code in a folder: lib/*/ebin, with lib/*/consolidated, or
// consolidated where there is an umbrella, ebin, or *.beam. The error wraps [fs.ErrNotExist] if there is none.
func readCode(root string) (*taskCode, error) {
	c := &taskCode{root: root, apps: apps{}}
	for _, pattern := range []string{"consolidated", "lib/*/consolidated", "lib/*/ebin", "ebin", "."} {
		found, _ := filepath.Glob(filepath.Join(escape(root), filepath.FromSlash(pattern)))
		for _, dir := range found {
			if beams, _ := filepath.Glob(filepath.Join(escape(dir), "*.beam")); len(beams) > 0 {
				c.dirs = append(c.dirs, dir)
			}
		}
	}
	if len(c.dirs) == 0 {
		return nil, fmt.Errorf("layer: %s holds no compiled code (lib/*/ebin, ebin or *.beam): %w", root, fs.ErrNotExist)
	}
	for _, dir := range c.dirs {
		a, err := readApp(dir)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		c.apps[a.name] = a
	}
	return c, nil
}

// keep leaves out all applications but those named.
func (c *taskCode) keep(names map[string]bool) {
	c.dirs = slices.DeleteFunc(c.dirs, func(dir string) bool {
		rel, err := filepath.Rel(filepath.Join(c.root, "lib"), dir)
		if err != nil || strings.HasPrefix(rel, "..") {
			return false
		}
		app, _, _ := strings.Cut(filepath.ToSlash(rel), "/")
		return !names[app]
	})
	for name := range c.apps {
		if !names[name] {
			delete(c.apps, name)
		}
	}
}

// owner is the application that a folder of modules belongs to.
func (c *taskCode) owner(dir string) *app {
	for _, a := range c.apps {
		if filepath.Join(a.dir, "ebin") == dir || filepath.Join(a.dir, "consolidated") == dir || a.dir == filepath.Dir(dir) && filepath.Base(dir) == "ebin" {
			return a
		}
	}
	return nil
}

// nothing is left out of a folder.
func nothing(string) bool { return false }

// addCode packs the code. What it keeps in priv is data, to the byte.
func (c *contents) addCode(t *taskCode) error {
	for _, dir := range t.dirs {
		rel, err := filepath.Rel(t.root, dir)
		if err != nil {
			return fmt.Errorf("layer: %w", err)
		}
		name, part := path.Clean(filepath.ToSlash(rel)), "function"
		if a := t.owner(dir); a != nil {
			part = strings.TrimSpace(a.name + " " + a.version)
		}
		err = c.addTree(dir, name, part, stripped, noModule)
		if err != nil {
			return err
		}
		if path.Base(name) != "ebin" {
			continue
		}
		if err := c.addTree(filepath.Join(filepath.Dir(dir), "priv"), path.Join(path.Dir(name), "priv"), part, asItIs, nothing); err != nil {
			return err
		}
	}
	return nil
}
