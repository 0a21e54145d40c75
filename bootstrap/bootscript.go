package bootstrap

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/beamport/beamport/beam"
)

// Values of Config.Boot besides the kinds of boot scripts that [beam.Script] has.
const (
	bootAuto  = "auto"
	bootStock = "stock"
)

// functionScript is the boot script that comes with a function's code, and layerScripts
// the folder of those of a layer.
const (
	functionScript = "beamport"
	layerScripts   = "boot"
)

// scriptLocked says which boot script the VM is started with: that of the function, or
// that of the layer. One that was made for another function or another Erlang is not
// used, and the log is told why; where Boot asks for its kind, that is an error.
func (s *supervisor) scriptLocked(boot beam.Boot, install beam.Installation) (beam.Script, error) {
	if s.Boot == bootStock {
		return beam.Script{}, nil
	}
	files := []string{filepath.Join(s.TaskRoot, functionScript)}
	if s.Search.Dir != "" && install.Root == filepath.Join(s.Search.Dir, "erlang") {
		kind := s.Boot
		if kind == bootAuto {
			kind = beam.BootFull
		}
		files = append(files, filepath.Join(s.Search.Dir, layerScripts, kind))
	}
	for _, file := range files {
		script, err := s.scriptIn(file, boot, install)
		switch {
		case err == nil:
			return script, nil
		case errors.Is(err, errNoScript):
		case s.Boot == bootAuto:
			s.logs.runtime("WARN", "", "the function starts slower than it could: "+strings.TrimPrefix(err.Error(), "beam: "))
		default:
			return beam.Script{}, fmt.Errorf("bootstrap: BEAMPORT_BOOT is %s, but %w", s.Boot, err)
		}
	}
	if s.Boot == bootAuto {
		return beam.Script{}, nil
	}
	return beam.Script{}, fmt.Errorf("bootstrap: BEAMPORT_BOOT is %s, but there is no boot script of that kind: beamport layer makes %s and %s, beamport package --boot %s one for a function",
		s.Boot, beam.BootFull, beam.BootLean, beam.BootFunction)
}

var errNoScript = errors.New("bootstrap: no such boot script")

// scriptIn reads a script and says why it cannot be used.
func (s *supervisor) scriptIn(file string, boot beam.Boot, install beam.Installation) (beam.Script, error) {
	script, err := beam.ReadScript(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return beam.Script{}, errNoScript
	case err != nil:
		return beam.Script{}, err
	case s.Boot != bootAuto && script.Kind != s.Boot:
		return beam.Script{}, errNoScript
	case script.Handler != "" && script.Handler != s.Handler:
		return beam.Script{}, fmt.Errorf("%s.boot was made for the handler %q, and this one is %q", file, script.Handler, s.Handler)
	}
	boot.Script = script
	return script, install.Check(boot)
}

// completeBoot fills in what the VM is started with.
func (s *settings) completeBoot(env map[string]string) error {
	switch s.Boot {
	case bootAuto, bootStock, beam.BootFull, beam.BootLean, beam.BootFunction:
	default:
		return fmt.Errorf("bootstrap: BEAMPORT_BOOT is %.20q, none of %s, %s, %s, %s and %s",
			s.Boot, bootAuto, beam.BootFull, beam.BootLean, beam.BootFunction, bootStock)
	}
	s.schedulers = schedulers(env["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"], runtime.NumCPU())
	return nil
}

// memoryOfCPU is how many MB of memory come with a whole processor:
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
const memoryOfCPU = 1769

// schedulers is how many a VM has for a function with so many MB: one for each processor
// that they pay for. With one its tables have no locks, and nothing is won by a second
// that has the same time to share.
func schedulers(memory string, processors int) int {
	mb, err := strconv.Atoi(memory)
	if err != nil || mb <= 0 {
		return processors
	}
	return min((mb+memoryOfCPU-1)/memoryOfCPU, processors)
}
