package layer

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/beamport/beamport/internal/beamfile"
)

// library finds modules in folders, the first of which that has one counts. It knows
// what it has read.
type library struct {
	dirs   []string
	read   map[string]*found
	onLoad map[string]bool // of those asked for
}

// found is a module and the folder that it is in.
type found struct {
	module *beamfile.Module
	dir    string
}

func newLibrary(dirs ...string) *library {
	return &library{dirs: dirs, read: map[string]*found{}, onLoad: map[string]bool{}}
}

// lookup is nil if there is no such module, or if it cannot be read.
func (l *library) lookup(name string) *found {
	if f, ok := l.read[name]; ok {
		return f
	}
	l.read[name] = nil
	for _, dir := range l.dirs {
		b, err := os.ReadFile(filepath.Join(dir, name+".beam"))
		if err != nil {
			continue
		}
		if m, err := beamfile.Parse(b); err == nil && m.Name == name {
			l.read[name] = &found{module: m, dir: dir}
		}
		break
	}
	return l.read[name]
}

func (l *library) module(name string) *beamfile.Module {
	if f := l.lookup(name); f != nil {
		return f.module
	}
	return nil
}

// runsOnLoad says whether code of the module runs when it is loaded. An emulator cannot
// load such a module before its kernel is there: until that code has run it loads nothing
// else, and the code asks the kernel for the folder of its native library.
func (l *library) runsOnLoad(name string) bool {
	runs, known := l.onLoad[name]
	if !known {
		m := l.module(name)
		runs = m != nil && m.OnLoad()
		l.onLoad[name] = runs
	}
	return runs
}

// allOnLoad are the modules of all folders that do.
func (l *library) allOnLoad() []string {
	var names []string
	for _, dir := range l.dirs {
		files, _ := filepath.Glob(filepath.Join(escape(dir), "*.beam"))
		for _, file := range files {
			if name := strings.TrimSuffix(filepath.Base(file), ".beam"); l.runsOnLoad(name) {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
