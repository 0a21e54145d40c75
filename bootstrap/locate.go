package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"syscall"

	"github.com/beamport/beamport/beam"
)

// locateLocked finds, once, what a VM is started from: the release in the task
// root, or the Erlang and Elixir installed.
func (s *supervisor) locateLocked(ctx context.Context) error {
	if s.install != nil {
		return nil
	}
	failed := func(errorType string, err error) error {
		if errors.Is(err, beam.ErrBadRelease) {
			errorType = "Runtime.BadRelease"
		}
		return &InitError{
			Type:    errorType,
			Message: fmt.Sprintf("handler %q: %s", s.Handler, plain(err)),
			Err:     err,
		}
	}
	environ := childEnviron(s.Environ)
	release, isRelease, err := beam.FindRelease(s.TaskRoot, environ)
	if err != nil {
		return failed("Runtime.BadRelease", err)
	}
	var install beam.Installation
	if isRelease && release.Own {
		if install, err = release.Installation(); err != nil {
			return failed("Runtime.BadRelease", err)
		}
	} else if install, err = beam.Find(s.Search); err != nil {
		if isRelease {
			err = fmt.Errorf("the release %s has no Erlang of its own (include_erts: true gives it one): %w", release.Name, err)
		}
		return failed("Runtime.NoErlang", err)
	}
	ebin, removeEbin, err := beam.Ebin(s.Search.Dir)
	if err != nil {
		return failed("Runtime.InitError", err)
	}
	s.cleanups = append(s.cleanups, removeEbin)
	var boot beam.Boot
	if isRelease {
		if boot, environ, err = s.releaseBootLocked(ctx, release, install, environ); err != nil {
			return failed("Runtime.BadRelease", err)
		}
	} else {
		boot.Elixir, _ = beam.FindElixir(s.Search)
	}
	boot.Ebin, boot.TaskRoot = ebin, s.TaskRoot
	boot.Schedulers, boot.Concurrency = s.schedulers, s.MaxConcurrency
	if !isRelease {
		if boot.Script, err = s.scriptLocked(boot, install); err != nil {
			return failed("Runtime.BadConfiguration", err)
		}
	}
	s.boot, s.environ, s.install = boot, environ, &install
	return nil
}

// plain is an error without the names of packages.
func plain(err error) string {
	return strings.NewReplacer("beam: ", "", "bootstrap: ", "").Replace(err.Error())
}

// releaseBootLocked says how to start a VM for a release, and tells the log what is done
// otherwise than by the release's own script.
func (s *supervisor) releaseBootLocked(ctx context.Context, r beam.Release, i beam.Installation, environ []string) (beam.Boot, []string, error) {
	if !r.Own {
		note, err := r.Fits(i)
		if err != nil {
			return beam.Boot{}, nil, err
		}
		if note != "" {
			s.logs.runtime("WARN", "", note)
		}
	}
	environ, err := r.Environ(ctx, environ)
	if err != nil {
		return beam.Boot{}, nil, err
	}
	environ, remove, err := r.Expand(environ)
	if err != nil {
		return beam.Boot{}, nil, err
	}
	s.cleanups = append(s.cleanups, remove)
	args, left, err := r.Args(environ)
	if err != nil {
		return beam.Boot{}, nil, err
	}
	if len(left) > 0 {
		// A cookie may be among the values.
		s.logs.runtime("INFO", "", "of the release's vm.args, these have no use in a function and are left out: "+strings.Join(flagsOf(left), " "))
	}
	return beam.Boot{Args: args}, environ, nil
}

// flagsOf leaves the values out.
func flagsOf(args []string) []string {
	var flags []string
	for _, arg := range args {
		if strings.HasPrefix(arg, "-") || strings.HasPrefix(arg, "+") {
			flags = append(flags, arg)
		}
	}
	return flags
}

// describeStart is describe, with what can be done about a VM that is for another
// machine.
func (s *supervisor) describeStart(err error) string {
	text := describe(err)
	if errors.Is(err, syscall.ENOEXEC) || errors.Is(err, syscall.EACCES) {
		text += fmt.Sprintf("; %s cannot be executed here, on %s/%s: it was made for another machine, or has lost its permissions",
			s.install.BinDir, runtime.GOOS, runtime.GOARCH)
	}
	return text
}
