package beam

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
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

// expandVariables replaces every ${NAME} and ${NAME:-default} by the variable's value;
// one without a value is its default, or nothing. What is not quite one of these stays.
func expandVariables(text string, environ []string) string {
	var expanded strings.Builder
	for {
		start := strings.Index(text, "${")
		if start < 0 {
			expanded.WriteString(text)
			return expanded.String()
		}
		expanded.WriteString(text[:start])
		text = text[start:]
		name, fallback, length := parseVariable(text)
		if length == 0 {
			expanded.WriteString(text[:len("${")])
			text = text[len("${"):]
			continue
		}
		value := lookup(environ, name)
		if value == "" {
			value = fallback
		}
		expanded.WriteString(value)
		text = text[length:]
	}
}

// parseVariable reads the variable at the start of text, of which it is length bytes, or
// none.
func parseVariable(text string) (name, fallback string, length int) {
	end := len("${")
	for end < len(text) && (text[end] == '_' || 'A' <= text[end]&^0x20 && text[end]&^0x20 <= 'Z' || end > len("${") && '0' <= text[end] && text[end] <= '9') {
		end++
	}
	name, rest := text[len("${"):end], text[end:]
	if name == "" {
		return "", "", 0
	}
	if after, ok := strings.CutPrefix(rest, ":-"); ok {
		fallback, rest, ok = strings.Cut(after, "}")
		if !ok {
			return "", "", 0
		}
		return name, fallback, len(text) - len(rest)
	}
	if strings.HasPrefix(rest, "}") {
		return name, "", end + 1
	}
	return "", "", 0
}
