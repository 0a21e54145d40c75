//go:build linux

package soak

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/beamport/beamport/beam"
	"github.com/beamport/beamport/port"
)

//go:embed soak_callback.erl
var callback []byte

// beamCommand compiles the callback and returns what starts a BEAM that runs it, and
// what removes the files.
func beamCommand(run string) (c port.Command, remove func() error, err error) {
	dir, err := os.MkdirTemp("", "soak")
	if err != nil {
		return c, nil, fmt.Errorf("soak: %w", err)
	}
	remove = func() error { return os.RemoveAll(dir) }
	defer func() {
		if err != nil {
			err = errors.Join(err, remove())
		}
	}()
	source := filepath.Join(dir, "soak_callback.erl")
	if err := os.WriteFile(source, callback, 0o600); err != nil {
		return c, nil, fmt.Errorf("soak: %w", err)
	}
	if out, err := exec.Command("erlc", "+warnings_as_errors", "-o", dir, source).CombinedOutput(); err != nil {
		return c, nil, fmt.Errorf("soak: erlc: %w: %s", err, out)
	}
	installation, err := beam.Find(beam.DefaultSearch(os.Environ()))
	if err != nil {
		return c, nil, fmt.Errorf("soak: %w", err)
	}
	ebin, removeEbin, err := beam.Ebin("")
	if err != nil {
		return c, nil, fmt.Errorf("soak: %w", err)
	}
	remove = func() error { return errors.Join(os.RemoveAll(dir), removeEbin()) }
	c = command("", run)
	c.Path, c.Args, c.Env = installation.Command(beam.Boot{
		Ebin: ebin, MaxPacket: maxPacket,
		Args: []string{"-pa", dir, "-beamport_callback", "soak_callback"},
	}, c.Env)
	return c, remove, nil
}
