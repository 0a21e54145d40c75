//go:build linux

package examples

import (
	"archive/zip"
	"context"
	"errors"
	"flag"
	"io"
	"io/fs"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/beam"
	"github.com/beamport/beamport/bootstrap/emulator"
	"github.com/beamport/beamport/bootstrap/layer"
)

var (
	packedDir = flag.String("packed", "", "take layers and functions from this `folder`, as scripts/pack-examples.sh makes it, and pack none")
	baseDir   = flag.String("base", "/", "take the libraries of the target's base from the system in this `folder`")
	target    = flag.String("target", "image", "the target that was packed for")
)

// packing makes the archives that are unpacked for the tests, unless there are some.
type packing struct {
	dir       string
	bootstrap string
	target    layer.Target
}

func newPacking(t *testing.T) *packing {
	to, err := layer.ParseTarget(*target, runtime.GOARCH)
	require.NoError(t, err)
	if *packedDir != "" {
		return &packing{dir: *packedDir, target: to}
	}
	p := &packing{dir: t.TempDir(), target: to}
	p.bootstrap = filepath.Join(p.dir, "bootstrap")
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags=-s -w", "-o", p.bootstrap, "../cmd/bootstrap")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	said, err := build.CombinedOutput()
	require.NoError(t, err, "%s", said)
	return p
}

// archive is a file that make writes, if it is not there.
func (p *packing) archive(t *testing.T, name string, make func(io.Writer) (*layer.Report, error)) string {
	file := filepath.Join(p.dir, name+".zip")
	if _, err := os.Stat(file); err == nil {
		return file
	}
	require.Empty(t, *packedDir, "there is no %s", file)
	w, err := os.Create(file)
	require.NoError(t, err)
	_, err = make(w)
	require.NoError(t, errors.Join(err, w.Close()))
	return file
}

func (p *packing) layer(t *testing.T, preset string) string {
	return p.archive(t, "layer-"+preset, func(w io.Writer) (*layer.Report, error) {
		return layer.Build(t.Context(), layer.Options{Preset: preset, Bootstrap: p.bootstrap, Target: p.target}, w)
	})
}

func (p *packing) function(t *testing.T, name, kind, handler string, project func(*testing.T) string) string {
	return p.archive(t, name+"-"+kind, func(w io.Writer) (*layer.Report, error) {
		return layer.Package(t.Context(), layer.FunctionOptions{Dir: project(t), Handler: handler, Boot: kind, Target: p.target}, w)
	})
}

// source is an archive of a project as it is.
func (p *packing) source(t *testing.T, name string) string {
	file := filepath.Join(p.dir, name+".zip")
	w, err := os.Create(file)
	require.NoError(t, err)
	z := zip.NewWriter(w)
	require.NoError(t, z.AddFS(os.DirFS(filepath.Join("testdata", name))))
	require.NoError(t, errors.Join(z.Close(), w.Close()))
	return file
}

// sandbox is a folder with the libraries of the target's base, a layer, a function, and
// nothing else.
func (p *packing) sandbox(t *testing.T, layer, function string) string {
	root := t.TempDir()
	for _, library := range p.target.Has() {
		if file := findLibrary(library); file != "" {
			rest, err := filepath.Rel(*baseDir, file)
			require.NoError(t, err)
			copyFile(t, file, filepath.Join(root, rest))
		}
	}
	unpack(t, layer, filepath.Join(root, "opt"))
	unpack(t, function, filepath.Join(root, "var", "task"))
	for _, dir := range []string{"tmp", "dev", "proc"} {
		require.NoError(t, os.Mkdir(filepath.Join(root, dir), 0o755))
	}
	// Lambda has these. Where they cannot be made, it has to do without.
	null := filepath.Join(root, "dev", "null")
	if syscall.Mknod(null, syscall.S_IFCHR|0o666, 1<<8|3) != nil {
		require.NoError(t, os.WriteFile(null, nil, 0o666))
	}
	proc := filepath.Join(root, "proc")
	if syscall.Mount("proc", proc, "proc", 0, "") == nil {
		t.Cleanup(func() { assert.NoError(t, syscall.Unmount(proc, 0)) })
		require.NoError(t, os.Symlink("/proc/self/fd", filepath.Join(root, "dev", "fd")))
	}
	return root
}

// findLibrary finds a library where the base has it.
func findLibrary(name string) string {
	for _, pattern := range []string{"lib64", "lib", "lib/*-linux-gnu", "usr/lib64", "usr/lib/*-linux-gnu"} {
		files, _ := filepath.Glob(filepath.Join(*baseDir, pattern, name))
		if len(files) > 0 {
			return files[0]
		}
	}
	return ""
}

func copyFile(t *testing.T, from, to string) {
	b, err := os.ReadFile(from)
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(filepath.Dir(to), 0o755))
	require.NoError(t, os.WriteFile(to, b, 0o755))
}

func unpack(t *testing.T, archive, to string) {
	z, err := zip.OpenReader(archive)
	require.NoError(t, err)
	defer func() { assert.NoError(t, z.Close()) }()
	for _, f := range z.File {
		if strings.HasSuffix(f.Name, "/") {
			continue
		}
		r, err := f.Open()
		require.NoError(t, err)
		b, err := io.ReadAll(r)
		require.NoError(t, err)
		name := filepath.Join(to, filepath.FromSlash(f.Name))
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
		require.NoError(t, os.WriteFile(name, b, fs.FileMode(f.Mode().Perm())))
	}
}

// lambda starts a layer's bootstrap as Lambda does, with root as all that it sees.
func lambda(t *testing.T, root, kind, handler string) (*emulator.Server, *logged) {
	api := emulator.New(emulator.Options{Timeout: time.Minute})
	server := httptest.NewServer(api)
	logs := new(logged)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	cmd := exec.CommandContext(ctx, "/opt/bootstrap")
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root}
	cmd.Dir = "/var/task"
	cmd.Env = []string{
		"AWS_LAMBDA_RUNTIME_API=" + server.Listener.Addr().String(),
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=512",
		"LAMBDA_TASK_ROOT=/var/task",
		"_HANDLER=" + handler,
		"BEAMPORT_BOOT=" + kind,
		"LANG=en_US.UTF-8",
		"TZ=:UTC",
		"PATH=/usr/local/bin:/usr/bin/:/bin:/opt/bin",
		"LD_LIBRARY_PATH=/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib",
	}
	cmd.Stdout, cmd.Stderr = logs, logs
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	require.NoError(t, cmd.Start())
	ended := make(chan error, 1)
	go func() {
		err := cmd.Wait()
		api.RuntimeExited(err)
		ended <- err
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("the runtime ended: %v\n%s", err, logs)
		}
		api.Close()
		server.Close()
	})
	require.NoError(t, api.Ready(t.Context()), "what it says:\n%s", logs)
	return api, logs
}

// A layer and a function are all that is needed, on a machine without Erlang.
func TestLayerOnEmptyMachine(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root may change the root folder")
	}
	p := newPacking(t)
	elixir := func(t *testing.T) string { return copyOf(t, "hello_elixir") }
	for _, kind := range []string{beam.BootFull, beam.BootLean, beam.BootFunction} {
		for _, f := range []struct {
			name, preset, handler string
			project               func(*testing.T) string
			wants                 []want
		}{
			{"hello_erlang", "erlang", "hello_erlang:handle", compileErlang, erlangsAnswers},
			{"hello_elixir", "elixir", "HelloElixir.handle", elixir, elixirsAnswers},
		} {
			t.Run(f.name+"/"+kind, func(t *testing.T) {
				root := p.sandbox(t, p.layer(t, f.preset), p.function(t, f.name, kind, f.handler, f.project))
				api, logs := lambda(t, root, kind, f.handler)
				checkAnswers(t, api, logs, f.wants)
			})
		}
	}
	t.Run("source", func(t *testing.T) {
		// Protocols are consolidated, headers are included, and nothing can be written to
		// but /tmp.
		root := p.sandbox(t, p.layer(t, "full"), p.source(t, "source"))
		for kind, handler := range map[string]string{"auto": "Source.handle", beam.BootLean: "source_files:handle"} {
			api, logs := lambda(t, root, kind, handler)
			r, err := api.Invoke(t.Context(), emulator.Invocation{Payload: []byte(`{"name":"Joe"}`)})
			require.NoError(t, err)
			require.Empty(t, r.FunctionError, "%s\n%s", r.Payload, logs)
			assert.JSONEq(t, `{"hello":"<Joe>","consolidated":true,"directory":true}`, string(r.Payload), handler)
		}
	})
	// What a handler leads to may be more than the layer has.
	for _, kind := range []string{beam.BootFull, beam.BootLean, beam.BootFunction} {
		t.Run("eval/"+kind, func(t *testing.T) {
			source := func(t *testing.T) string {
				dir := filepath.Join(t.TempDir(), "eval")
				copyFile(t, filepath.Join("testdata", "eval.ex"), filepath.Join(dir, "eval.ex"))
				return dir
			}
			root := p.sandbox(t, p.layer(t, "elixir"), p.function(t, "eval", kind, "Eval.handle", source))
			api, logs := lambda(t, root, kind, "Eval.handle")
			r, err := api.Invoke(t.Context(), emulator.Invocation{Payload: []byte(`{"code":"double = fn x -> x * 2 end; Enum.map(1..3, double)"}`)})
			require.NoError(t, err)
			require.Empty(t, r.FunctionError, "%s\n%s", r.Payload, logs)
			assert.JSONEq(t, `{"value":"[2, 4, 6]"}`, string(r.Payload))
		})
	}
	t.Run("tls", func(t *testing.T) {
		source := func(t *testing.T) string {
			dir := filepath.Join(t.TempDir(), "tls")
			copyFile(t, filepath.Join("testdata", "tls.erl"), filepath.Join(dir, "tls.erl"))
			return dir
		}
		root := p.sandbox(t, p.layer(t, "elixir-tls"), p.function(t, "tls", beam.BootFull, "tls:handle", source))
		api, _ := lambda(t, root, beam.BootFull, "tls:handle")
		r, err := api.Invoke(t.Context(), emulator.Invocation{Payload: []byte(`{}`)})
		require.NoError(t, err)
		require.Empty(t, r.FunctionError, string(r.Payload))
		assert.JSONEq(t, `{"hash":"`+strings.ToUpper("ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb")+`","running":true}`, string(r.Payload))
	})
}
