package beam

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// Expand completes the files that rebar3 leaves to the release's script: sys.config
// and vm.args are made of sys.config.src and vm.args.src, in which ${NAME} and
// ${NAME:-default} stand for variables of environ, where the release has those
// instead. They are written to a new private folder. The environment returned
// names them in RELEASE_SYS_CONFIG and RELEASE_VM_ARGS; remove deletes them, and
// is never nil.
func (r Release) Expand(environ []string) (expanded []string, remove func() error, err error) {
	remove = func() error { return nil }
	dir := ""
	for _, file := range []struct{ variable, name, path string }{
		{"RELEASE_SYS_CONFIG", "sys.config", lookup(environ, "RELEASE_SYS_CONFIG") + ".config"},
		{"RELEASE_VM_ARGS", "vm.args", lookup(environ, "RELEASE_VM_ARGS")},
	} {
		text, err := os.ReadFile(filepath.Join(r.Dir, file.name+".src"))
		if errors.Is(err, os.ErrNotExist) || isFile(file.path) {
			continue
		}
		if err == nil && dir == "" {
			if dir, err = os.MkdirTemp("", "beamport-release-"); err == nil {
				remove = func() error { return os.RemoveAll(dir) }
			}
		}
		path := filepath.Join(dir, file.name)
		if err == nil {
			err = os.WriteFile(path, []byte(expandVariables(string(text), environ)), 0o600)
		}
		if err != nil {
			_ = remove()
			return nil, func() error { return nil }, fmt.Errorf("beam: completing the release's %s: %w", file.name, err)
		}
		environ = append(environ, file.variable+"="+strings.TrimSuffix(path, ".config"))
	}
	return environ, remove, nil
}

var variable = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)(:-([^}]*))?\}`)

func expandVariables(text string, environ []string) string {
	return variable.ReplaceAllStringFunc(text, func(found string) string {
		parts := variable.FindStringSubmatch(found)
		if value := lookup(environ, parts[1]); value != "" {
			return value
		}
		return parts[3]
	})
}
