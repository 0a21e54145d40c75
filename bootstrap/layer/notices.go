package layer

import (
	"embed"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

//go:embed licenses
var licenses embed.FS

// notice says whose work a layer holds.
const notice = `This archive was made by beamport. It holds, without debugging information:

- bootstrap, beam/, boot/: beamport, Apache License 2.0 (LICENSES/Apache-2.0.txt).
  bootstrap has in it the standard library of Go (LICENSES/Go.txt).
`

// addNotices packs what the licenses of all that is packed ask for.
func (b *builder) addNotices() error {
	text := &strings.Builder{}
	text.WriteString(notice)
	fmt.Fprintf(text, `- erlang/: Erlang/OTP with erts %s, copyright Ericsson AB and contributors, Apache License
  2.0 (LICENSES/Apache-2.0.txt).`, b.otp.erts)
	parts, err := b.addNoticeOfErlang()
	if err != nil {
		return err
	}
	text.WriteString(parts)
	if b.elixir != nil {
		text.WriteString(`- elixir/: Elixir, copyright Plataformatec and The Elixir Team, Apache License 2.0
  (LICENSES/Apache-2.0.txt).
`)
	}
	libraries, err := b.addNoticesOfLibraries()
	if err != nil {
		return err
	}
	text.WriteString(libraries)
	if err := b.addText("NOTICE", text.String()); err != nil {
		return err
	}
	for _, name := range []string{"Apache-2.0.txt", "Go.txt"} {
		data, err := licenses.ReadFile("licenses/" + name)
		if err != nil {
			return fmt.Errorf("layer: %w", err)
		}
		if err := b.addText("LICENSES/"+name, string(data)); err != nil {
			return err
		}
	}
	return b.addOwnNotices()
}

// addNoticeOfErlang packs what Erlang says of parts of the emulator that come from others:
// the file COPYRIGHT of an installation, or that of the system's package.
func (b *builder) addNoticeOfErlang() (text string, err error) {
	file := filepath.Join(b.otp.Root, "COPYRIGHT")
	if !exists(file) {
		_, file = systemNotice("/", filepath.Join(b.otp.BinDir, "beam.smp"))
	}
	if file == "" {
		b.note(fmt.Sprintf("there is no COPYRIGHT in %s, which tells of the parts of the emulator that come from others: take it from Erlang's source, as system/COPYRIGHT", b.otp.Root))
		return ` Parts of the emulator come from others:
  system/COPYRIGHT in the source of Erlang/OTP.
`, nil
	}
	return " Parts of the emulator come from others:\n  LICENSES/Erlang.txt.\n", b.addFile(file, "LICENSES/Erlang.txt", "notices", asItIs)
}

// addNoticesOfLibraries packs the licenses of shared libraries of the system, and returns
// what there is to say of them.
func (c *contents) addNoticesOfLibraries() (text string, err error) {
	for _, name := range c.packedLibraries() {
		owner, file := systemNotice("/", c.libraries[name])
		if file == "" {
			text += fmt.Sprintf("- lib/%s: of the system that this was made on, under the license that it names for it.\n", name)
			continue
		}
		license := "LICENSES/" + owner + ".txt"
		text += fmt.Sprintf("- lib/%s: of the package %s of the system that this was made on (%s).\n", name, owner, license)
		if c.names[license] {
			continue
		}
		if err := c.addFile(file, license, "notices", asItIs); err != nil {
			return "", err
		}
	}
	return text, nil
}

// systemNotice is the package of Debian's, in the system whose root folder is given, that a
// file came with, and the file with its licenses; both are "" if none is known.
func systemNotice(root, file string) (owner, notice string) {
	if resolved, err := filepath.EvalSymlinks(file); err == nil {
		file = resolved
	}
	lists, _ := filepath.Glob(filepath.Join(escape(root), "var", "lib", "dpkg", "info", "*.list"))
	for _, list := range lists {
		text, err := os.ReadFile(list)
		if err != nil || !slices.Contains(strings.Split(string(text), "\n"), file) {
			continue
		}
		owner, _, _ = strings.Cut(strings.TrimSuffix(filepath.Base(list), ".list"), ":")
		notice = filepath.Join(root, "usr", "share", "doc", owner, "copyright")
		if exists(notice) {
			return owner, notice
		}
	}
	return "", ""
}

func (c *contents) addText(name, text string) error {
	return c.add(entry{name: name, part: "notices", data: []byte(text)})
}

// packedLibraries are the names of the shared libraries that were packed since the target
// lacks them.
func (c *contents) packedLibraries() []string { return slices.Sorted(maps.Keys(c.libraries)) }

// addOwnNotices packs the notices that came with the applications: they are few, and
// those of applications that were added are nobody else's to know.
func (b *builder) addOwnNotices() error {
	for _, a := range b.apps {
		for _, name := range []string{"LICENSE", "LICENSE.txt", "LICENSE.md", "NOTICE", "COPYRIGHT"} {
			file := filepath.Join(a.dir, name)
			if info, err := os.Stat(file); err != nil || !info.Mode().IsRegular() {
				continue
			}
			if err := b.addFile(file, b.packedDir(a)+"/"+name, "notices", asItIs); err != nil {
				return err
			}
		}
	}
	return nil
}
