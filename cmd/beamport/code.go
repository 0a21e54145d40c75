package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// findCode finds the compiled code of the function in a folder: the folder that
// stands for LAMBDA_TASK_ROOT, an absolute path that holds lib/*/ebin, ebin or
// *.beam. Of several, such as the dev and prod builds of a mix project, it is
// the one compiled last. mixEnv, the value of MIX_ENV, names a build if it is
// set.
func findCode(dir, mixEnv string) (string, error) {
	info, err := os.Stat(dir)
	switch {
	case os.IsNotExist(err):
		return "", fmt.Errorf("there is no folder %s", dir)
	case err != nil:
		return "", err
	case !info.IsDir():
		return "", fmt.Errorf("%s is not a folder: name the one of the function's project or of its compiled code", dir)
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	kind := projectIn(abs)
	candidates := []string{abs}
	for _, build := range kind.builds(mixEnv) {
		candidates = append(candidates, filepath.Join(abs, "_build", build))
	}
	var root string
	var newest time.Time
	for _, c := range candidates {
		if t := compiled(c); t.After(newest) {
			root, newest = c, t
		}
	}
	if root == "" {
		return "", fmt.Errorf("%s %s", dir, kind.uncompiled(mixEnv))
	}
	return root, nil
}

// project is the tool that compiles a folder's code.
type project int

const (
	noProject project = iota
	mixProject
	rebarProject
	erlangSources
)

func projectIn(dir string) project {
	for _, p := range []struct {
		pattern string
		kind    project
	}{
		{"mix.exs", mixProject},
		{"rebar.config", rebarProject},
		{"rebar.lock", rebarProject},
		{filepath.Join("src", "*.erl"), erlangSources},
		{"*.erl", erlangSources},
	} {
		if len(glob(dir, p.pattern)) > 0 {
			return p.kind
		}
	}
	return noProject
}

// builds are the folders in _build that hold code to run.
func (p project) builds(mixEnv string) []string {
	switch {
	case p == mixProject && mixEnv != "":
		return []string{mixEnv}
	case p == mixProject:
		return []string{"prod", "dev"}
	case p == rebarProject:
		return []string{"default", "prod"}
	default:
		return nil
	}
}

// uncompiled says what is missing, after the folder's name.
func (p project) uncompiled(mixEnv string) string {
	switch p {
	case mixProject:
		if mixEnv != "" {
			return fmt.Sprintf("is not compiled for MIX_ENV=%[1]s: run MIX_ENV=%[1]s mix compile in it", mixEnv)
		}
		return "is not compiled: run mix compile in it"
	case rebarProject:
		return "is not compiled: run rebar3 compile in it, or mkdir -p ebin && erlc -o ebin src/*.erl"
	case erlangSources:
		return "is not compiled: run mkdir -p ebin && erlc -o ebin $(find . -name '*.erl') in it"
	default:
		return "holds no compiled code: neither lib/*/ebin, ebin nor *.beam, and no project of mix or rebar3"
	}
}

// compiled is when the last module in a task root was, the zero time if there
// is none.
func compiled(root string) time.Time {
	var newest time.Time
	for _, pattern := range []string{
		"*.beam",
		filepath.Join("ebin", "*.beam"),
		filepath.Join("lib", "*", "ebin", "*.beam"),
	} {
		for _, file := range glob(root, pattern) {
			if info, err := os.Stat(file); err == nil && info.ModTime().After(newest) {
				newest = info.ModTime()
			}
		}
	}
	return newest
}

// glob finds the files of a pattern in a folder, whatever the folder's name.
func glob(dir, pattern string) []string {
	escaped := strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(dir)
	files, _ := filepath.Glob(filepath.Join(escaped, pattern)) // the pattern is well-formed
	return files
}
