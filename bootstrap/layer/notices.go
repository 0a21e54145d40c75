package layer

import (
	"embed"
	"fmt"
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
  2.0 (LICENSES/Apache-2.0.txt). Parts of the emulator come from others:
  https://github.com/erlang/otp/blob/master/system/COPYRIGHT.
`, b.otp.erts)
	if b.elixir != nil {
		text.WriteString(`- elixir/: Elixir, copyright Plataformatec and The Elixir Team, Apache License 2.0
  (LICENSES/Apache-2.0.txt).
`)
	}
	if names := b.packedLibraries(); len(names) > 0 {
		fmt.Fprintf(text, `- lib/: %s, of the system that this was made on, under the licenses that
  it names for them.
`, strings.Join(names, ", "))
	}
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

func (c *contents) addText(name, text string) error {
	return c.add(entry{name: name, part: "notices", data: []byte(text)})
}

func (c *contents) packedLibraries() []string {
	var names []string
	for _, e := range c.entries {
		if name, ok := strings.CutPrefix(e.name, "lib/"); ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

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
