package layer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/beamport/beamport/etf"
)

// rebar compiles a project of rebar3's. Where rebar3 is not installed, what it compiled
// earlier is taken, unless its source has changed since, or else what can be compiled
// without it.
func (c *compiler) rebar(ctx context.Context) (*taskCode, error) {
	project, err := readRebar(c.dir)
	if err != nil {
		return nil, err
	}
	code, err := c.rebarCode(ctx, project)
	if err != nil {
		return nil, err
	}
	return code, c.addSysConfig(code, project)
}

func (c *compiler) rebarCode(ctx context.Context, project *rebarProject) (*taskCode, error) {
	rebar, err := exec.LookPath("rebar3")
	if err == nil {
		if err := c.run(ctx, nil, rebar, "as", "prod", "compile"); err != nil {
			return nil, err
		}
		return readCode(filepath.Join(c.dir, "_build", "prod"))
	}
	changed, at := newestSource(c.dir)
	stale := ""
	for _, build := range []string{"_build/prod", "_build/default"} {
		code, err := readCode(filepath.Join(c.dir, build))
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return nil, err
		case compiledAt(code).Before(at):
			stale = fmt.Sprintf(": what it compiled earlier, in %s, is older than %s", build, changed)
		default:
			code.notes = append(code.notes, fmt.Sprintf("rebar3 is not installed: what it compiled earlier, in %s, is packed as it is", build))
			return code, nil
		}
	}
	if len(project.deps) > 0 {
		return nil, fmt.Errorf("layer: %s depends on %s, and rebar3, which fetches and compiles that, is not installed%s", c.dir, strings.Join(project.deps, ", "), stale)
	}
	code, err := c.sources(ctx)
	if err == nil && code == nil {
		err = fmt.Errorf("layer: rebar3 is needed to compile %s, and is not installed%s", c.dir, stale)
	}
	return code, err
}

// rebarProject is what is known of a project from its rebar.config.
type rebarProject struct {
	deps []string
	// sysConfig is the file that releases are configured with, from the project's folder
	// on, and template the same with variables in it; "" if there is none.
	sysConfig, template string
}

func readRebar(dir string) (*rebarProject, error) {
	file := filepath.Join(dir, "rebar.config")
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("layer: %w", err)
	}
	terms, err := consult(string(text))
	if err != nil {
		return nil, fmt.Errorf("layer: %s: %w", file, err)
	}
	p := &rebarProject{}
	p.read(terms)
	for _, t := range terms {
		if t.At(0).IsAtom("profiles") {
			for profile := range t.At(1).All() {
				if profile.At(0).IsAtom("prod") {
					var prod []etf.Term
					for t := range profile.At(1).All() {
						prod = append(prod, t)
					}
					p.read(prod)
				}
			}
		}
	}
	if p.sysConfig == "" && p.template == "" && exists(filepath.Join(dir, "config", "sys.config")) {
		p.sysConfig = filepath.Join("config", "sys.config")
	}
	return p, nil
}

// read reads what rebar.config, or a profile in it, says.
func (p *rebarProject) read(terms []etf.Term) {
	for _, t := range terms {
		switch {
		case t.At(0).IsAtom("deps"):
			for dep := range t.At(1).All() {
				name, ok := dep.AtomName()
				if !ok {
					name, ok = dep.At(0).AtomName()
				}
				if ok {
					p.deps = append(p.deps, name)
				}
			}
		case t.At(0).IsAtom("relx"):
			for option := range t.At(1).All() {
				file, _ := option.At(1).Chars()
				switch {
				case option.At(0).IsAtom("sys_config"):
					p.sysConfig, p.template = filepath.Clean(file), ""
				case option.At(0).IsAtom("sys_config_src"):
					p.sysConfig, p.template = "", filepath.Clean(file)
				}
			}
		}
	}
}

// consult reads the terms of a text, each of which ends in a full stop.
func consult(text string) (terms []etf.Term, err error) {
	begin := 0
	for at := range len(text) {
		if text[at] != '.' || at+1 < len(text) && !strings.ContainsRune(" \t\r\n%", rune(text[at+1])) {
			continue
		}
		// A full stop may also be part of a text or of a comment.
		t, parsed := etf.Parse(text[begin : at+1])
		if err = parsed; err == nil {
			terms = append(terms, t)
			begin = at + 1
		}
	}
	return terms, err
}

// addSysConfig takes the configuration that a release of the project would have.
func (c *compiler) addSysConfig(code *taskCode, project *rebarProject) error {
	if project.template != "" {
		code.notes = append(code.notes, project.template+" is not read, since it has variables in it: name a file without with sys_config, or pack a release")
	}
	if project.sysConfig == "" {
		return nil
	}
	text, err := os.ReadFile(filepath.Join(c.dir, project.sysConfig))
	if err != nil {
		return fmt.Errorf("layer: %w", err)
	}
	all, err := etf.Parse(string(text))
	if err != nil {
		return fmt.Errorf("layer: %s: %w", project.sysConfig, err)
	}
	var own []etf.Term
	for t := range all.All() {
		if other, ok := t.Chars(); ok {
			code.notes = append(code.notes, fmt.Sprintf("%s names %s, which is not read", project.sysConfig, other))
			continue
		}
		own = append(own, t)
	}
	if code.config, err = readSettings(etf.List(own...)); err != nil {
		return fmt.Errorf("layer: %s: %w", project.sysConfig, err)
	}
	return nil
}

// newestSource is the file of a project's source that was changed last.
func newestSource(dir string) (name string, at time.Time) {
	_ = fs.WalkDir(os.DirFS(dir), ".", func(file string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return fs.SkipDir
		case d.IsDir() && (strings.HasPrefix(d.Name(), "_") || strings.HasPrefix(d.Name(), ".") && file != "."):
			return fs.SkipDir
		case d.IsDir():
			return nil
		}
		switch filepath.Ext(file) {
		case ".erl", ".hrl", ".src", ".xrl", ".yrl":
			if info, err := d.Info(); err == nil && info.ModTime().After(at) {
				name, at = file, info.ModTime()
			}
		}
		return nil
	})
	return name, at
}

// compiledAt is when the last of the modules was written.
func compiledAt(c *taskCode) (at time.Time) {
	for _, dir := range c.dirs {
		files, _ := filepath.Glob(filepath.Join(escape(dir), "*.beam"))
		for _, file := range files {
			if info, err := os.Stat(file); err == nil && info.ModTime().After(at) {
				at = info.ModTime()
			}
		}
	}
	return at
}
