package layer

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/beamport/beamport/etf"
)

// app is an application, as its .app file describes it.
type app struct {
	name, version string
	dir           string // the folder that holds ebin
	spec          etf.Term
	needs         []string // applications and included_applications
	optional      []string
	mod           string // the module that starts it, "" for a library
	env           []etf.Term
}

// readApp reads the application whose ebin folder is given. The error wraps
// [fs.ErrNotExist] if there is no .app file in it.
func readApp(ebin string) (*app, error) {
	files, _ := filepath.Glob(filepath.Join(escape(ebin), "*.app"))
	if len(files) == 0 {
		return nil, fmt.Errorf("layer: %s holds no .app file: %w", ebin, fs.ErrNotExist)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		return nil, fmt.Errorf("layer: %w", err)
	}
	spec, err := etf.Parse(string(text))
	if err != nil {
		return nil, fmt.Errorf("layer: %s: %w", files[0], err)
	}
	a := &app{dir: filepath.Dir(ebin), spec: spec}
	var ok bool
	if spec.Len() != 3 || !spec.At(0).IsAtom("application") {
		return nil, fmt.Errorf("layer: %s describes no application", files[0])
	}
	if a.name, ok = spec.At(1).AtomName(); !ok {
		return nil, fmt.Errorf("layer: %s: the application's name is no atom", files[0])
	}
	for property := range spec.At(2).All() {
		key, _ := property.At(0).AtomName()
		switch value := property.At(1); key {
		case "vsn":
			a.version, _ = value.Chars()
		case "applications", "included_applications":
			a.needs = append(a.needs, atoms(value)...)
		case "optional_applications":
			a.optional = atoms(value)
		case "mod":
			if value.Len() == 2 {
				a.mod, _ = value.At(0).AtomName()
			}
		case "env":
			a.env = slices.Collect(value.All())
		}
	}
	return a, nil
}

func atoms(list etf.Term) []string {
	var names []string
	for e := range list.All() {
		if name, ok := e.AtomName(); ok {
			names = append(names, name)
		}
	}
	return names
}

// apps are the applications of some folders, by name: of several with one name, the
// first.
type apps map[string]*app

// readApps reads the applications in DIR/*/ebin. Of several versions of one, the last
// in the order of versions counts.
func readApps(dir string) (apps, error) {
	ebins, _ := filepath.Glob(filepath.Join(escape(dir), "*", "ebin"))
	all := apps{}
	for _, ebin := range ebins {
		a, err := readApp(ebin)
		if errors.Is(err, fs.ErrNotExist) {
			continue // debuggers leave such folders behind
		}
		if err != nil {
			return nil, err
		}
		if other := all[a.name]; other == nil || compareVersions(other.version, a.version) < 0 {
			all[a.name] = a
		}
	}
	return all, nil
}

// closure is the applications named with all that they need, in an order in which each
// comes behind what it needs. found looks in all; why says who needs what is missing.
func (all apps) closure(names ...string) ([]*app, error) {
	var order []*app
	state := map[string]int{} // 1: under way, 2: done
	var visit func(name, by string) error
	visit = func(name, by string) error {
		if state[name] > 0 {
			return nil
		}
		state[name] = 1
		a := all[name]
		if a == nil {
			if by == "" {
				return fmt.Errorf("layer: there is no application %s (there are %s)", name, strings.Join(all.names(), ", "))
			}
			return fmt.Errorf("layer: there is no application %s, which %s needs", name, by)
		}
		for _, need := range a.needs {
			if slices.Contains(a.optional, need) && all[need] == nil {
				continue
			}
			if err := visit(need, name); err != nil {
				return err
			}
		}
		state[name] = 2
		order = append(order, a)
		return nil
	}
	for _, name := range names {
		if err := visit(name, ""); err != nil {
			return nil, err
		}
	}
	return order, nil
}

func (all apps) names() []string {
	var names []string
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// compareVersions compares numbers between dots by their value.
func compareVersions(a, b string) int {
	return slices.CompareFunc(strings.Split(a, "."), strings.Split(b, "."), func(x, y string) int {
		if len(x) != len(y) && digits(x) && digits(y) {
			return len(x) - len(y)
		}
		return strings.Compare(x, y)
	})
}

func digits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// escape makes a path a [filepath.Glob] pattern of itself.
func escape(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

func atomList(names []string) etf.Term {
	list := make([]etf.Term, len(names))
	for i, name := range names {
		list[i] = etf.Atom(name)
	}
	return etf.List(list...)
}
