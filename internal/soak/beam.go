//go:build linux

package soak

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/beamport/beamport/beam"
	"github.com/beamport/beamport/port"
)

//go:embed soak_callback.erl
var callbackSource []byte

// beamMemory is the limit of an emulator's address space when it is to run out of
// memory: somewhat more than it reserves at start.
const beamMemory = 1400 << 20

// beamMaker makes children that are emulators with beamport's application and
// the callback module, which it compiles. remove deletes what was written.
func beamMaker(ctx context.Context, id string) (m maker, remove func(), err error) {
	installation, err := beam.Find(beam.DefaultSearch(os.Environ()))
	if err != nil {
		return maker{}, nil, err
	}
	dir, err := os.MkdirTemp("", "beamport-soak-")
	if err != nil {
		return maker{}, nil, err
	}
	remove = func() { os.RemoveAll(dir) }
	defer func() {
		if err != nil {
			remove()
		}
	}()
	source := filepath.Join(dir, "soak_callback.erl")
	if err := os.WriteFile(source, callbackSource, 0o600); err != nil {
		return maker{}, nil, err
	}
	ebin, removeEbin, err := beam.Ebin(dir)
	if err != nil {
		return maker{}, nil, err
	}
	remove = func() {
		removeEbin()
		os.RemoveAll(dir)
	}
	erlc := exec.CommandContext(ctx, filepath.Join(installation.Root, "bin", "erlc"), "+warnings_as_errors", "-pa", ebin, "-o", dir, source)
	if said, err := erlc.CombinedOutput(); err != nil {
		return maker{}, nil, fmt.Errorf("soak: compiling the callback module: %w\n%s", err, said)
	}
	path, args, env := installation.Command(beam.Boot{
		Ebin: ebin, MaxPacket: maxPacket,
		Args: []string{"-pa", dir, "-beamport_callback", "soak_callback"},
	}, os.Environ())
	c := port.Command{
		Path: path, Args: args, Env: append(env, runVariable+"="+id),
		StartTimeout: startTimeout, Options: port.Options{MaxPacket: maxPacket},
	}
	limited := c
	limited.Path = "/bin/sh"
	limited.Args = append([]string{"-c", `ulimit -v "$0" && exec "$@"`, kilobytes(beamMemory), path}, args...)
	return maker{name: "beam", command: c, limited: limited}, remove, nil
}
