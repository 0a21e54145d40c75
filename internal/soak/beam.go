//go:build linux

package soak

import (
	"context"
	"embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/beamport/beamport/beam"
	"github.com/beamport/beamport/port"
)

//go:embed soak_callback.erl soak_bridge.erl
var sources embed.FS

// beamMemory is the limit of an emulator's address space when it is to run out of
// memory: somewhat more than it reserves at start.
const beamMemory = 1400 << 20

// beamMakers make children that are emulators with beamport's application and a
// callback module, which they compile. remove deletes what was written.
func beamMakers(ctx context.Context, id string) (all []maker, remove func(), err error) {
	installation, err := beam.Find(beam.DefaultSearch(os.Environ()))
	if err != nil {
		return nil, nil, err
	}
	dir, err := os.MkdirTemp("", "beamport-soak-")
	if err != nil {
		return nil, nil, err
	}
	remove = func() { os.RemoveAll(dir) }
	defer func() {
		if err != nil {
			remove()
		}
	}()
	if err := os.CopyFS(dir, sources); err != nil {
		return nil, nil, err
	}
	ebin, removeEbin, err := beam.Ebin(dir)
	if err != nil {
		return nil, nil, err
	}
	remove = func() {
		removeEbin()
		os.RemoveAll(dir)
	}
	erlc := exec.CommandContext(ctx, filepath.Join(installation.Root, "bin", "erlc"), "+warnings_as_errors", "-pa", ebin, "-o", dir,
		filepath.Join(dir, "soak_callback.erl"), filepath.Join(dir, "soak_bridge.erl"))
	if said, err := erlc.CombinedOutput(); err != nil {
		return nil, nil, fmt.Errorf("soak: compiling the callback modules: %w\n%s", err, said)
	}
	made := func(m Make, callback string) maker {
		path, args, env := installation.Command(beam.Boot{
			Ebin: ebin, MaxPacket: maxPacket,
			Args: []string{"-pa", dir, "-beamport_callback", callback},
		}, os.Environ())
		c := port.Command{
			Path: path, Args: args, Env: append(env, runVariable+"="+id),
			StartTimeout: startTimeout, Options: port.Options{MaxPacket: maxPacket},
		}
		limited := c
		limited.Path = "/bin/sh"
		limited.Args = append([]string{"-c", `ulimit -v "$0" && exec "$@"`, kilobytes(beamMemory), path}, args...)
		return maker{make: m, command: c, limited: limited}
	}
	worker, socket := made(Worker, "soak_bridge"), made(Socket, "soak_bridge")
	worker.dress, socket.dress = underBridge, overSocket
	return []maker{made(BEAM, "soak_callback"), worker, socket}, remove, nil
}
