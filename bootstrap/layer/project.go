package layer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/beamport/beamport/etf"
)

// compiler compiles a function's source, or finds what was compiled.
type compiler struct {
	dir    string
	otp    *otp
	elixir *elixir // nil if there is none
	// temp is a folder for what is made.
	temp string
}

// ErrSource says that the function's source could not be compiled.
var ErrSource = errors.New("layer: the function's source does not compile")

// code compiles a project of Mix's or rebar3's, or files of Erlang or Elixir; what is
// compiled already is taken as it is.
func (c *compiler) code(ctx context.Context) (*taskCode, error) {
	has := func(pattern string) bool {
		files, _ := filepath.Glob(filepath.Join(escape(c.dir), filepath.FromSlash(pattern)))
		return len(files) > 0
	}
	switch {
	case !isFolder(c.dir):
		return nil, fmt.Errorf("layer: there is no folder %s", c.dir)
	case has("releases/start_erl.data"):
		return nil, fmt.Errorf("layer: %s is a release, which has its own start: zip it as it is", c.dir)
	case has("mix.exs"):
		return c.mix(ctx)
	case has("gleam.toml"), has("entrypoint.sh"):
		return c.gleam()
	case has("rebar.config"):
		return c.rebar(ctx)
	}
	code, err := readCode(c.dir)
	if !errors.Is(err, fs.ErrNotExist) {
		return code, err
	}
	if code, err := c.sources(ctx); code != nil || err != nil {
		return code, err
	}
	return nil, fmt.Errorf("layer: %s holds no function: no mix.exs, no rebar.config, no *.erl or *.ex in it, in src or in lib, and no compiled code (lib/*/ebin, ebin or *.beam)", c.dir)
}

func isFolder(dir string) bool {
	info, err := os.Stat(dir)
	return err == nil && info.IsDir()
}

// run runs a tool in the project's folder.
func (c *compiler) run(ctx context.Context, env []string, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = c.dir
	cmd.Env = append(os.Environ(), append(env, "LC_ALL=C.UTF-8")...)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		text := strings.TrimSpace(said.String())
		if text == "" {
			text = err.Error()
		}
		return fmt.Errorf("%w: %s:\n%s", ErrSource, strings.Join(append([]string{filepath.Base(name)}, args...), " "), text)
	}
	return nil
}

// tool finds a program of Erlang's or Elixir's.
func (c *compiler) tool(name string) (string, error) {
	var dirs []string
	if c.elixir != nil {
		dirs = append(dirs, filepath.Join(c.elixir.root, "bin"))
	}
	for _, dir := range append(dirs, filepath.Join(c.otp.Root, "bin")) {
		if file := filepath.Join(dir, name); exists(file) {
			return file, nil
		}
	}
	file, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("layer: %s is needed to compile %s, and is not installed", name, c.dir)
	}
	return file, nil
}

// mixProject has mix say where it compiles to, and its protocols, which the project's
// applications are, how all applications are configured, and where that is written.
const mixProject = `
file = Path.expand(Mix.Project.config()[:config_path] || "config/config.exs")
config = if File.regular?(file), do: Config.Reader.read!(file, env: Mix.env(), target: Mix.target()), else: []
paths = Mix.Project.apps_paths()
apps = if paths, do: Map.keys(paths), else: [Mix.Project.config()[:app]]
said = {Mix.Project.build_path(), apps, config, Mix.Project.consolidation_path(), file}
File.write!(System.fetch_env!("BEAMPORT_OUT"), :erlang.term_to_binary(said, [:deterministic]))
`

func (c *compiler) mix(ctx context.Context) (*taskCode, error) {
	mix, err := c.tool("mix")
	if err != nil {
		return nil, err
	}
	out := filepath.Join(c.temp, "project")
	env := []string{"MIX_ENV=prod", "BEAMPORT_OUT=" + out}
	if err := c.run(ctx, env, mix, "compile"); err != nil {
		return nil, err
	}
	if err := c.run(ctx, env, mix, "run", "--no-compile", "--no-start", "--no-deps-check", "-e", mixProject); err != nil {
		return nil, err
	}
	b, err := os.ReadFile(out)
	if err != nil {
		return nil, fmt.Errorf("layer: %w", err)
	}
	said, err := etf.Decode(b)
	if err != nil || said.Len() != 5 {
		return nil, fmt.Errorf("layer: what mix says of %s: %w", c.dir, err)
	}
	build, _ := said.At(0).Text()
	protocols, _ := said.At(3).Text()
	config, _ := said.At(4).Text()
	code, err := readCode(build)
	if err != nil {
		return nil, err
	}
	if code.config, err = readSettings(said.At(2)); err != nil {
		return nil, fmt.Errorf("layer: %s: %w", config, err)
	}
	code.keep(code.needed(atoms(said.At(1))...))
	// Those of the applications of an umbrella are left over from when each was compiled
	// by itself, and the other way round.
	code.dirs = slices.DeleteFunc(code.dirs, func(dir string) bool { return filepath.Base(dir) == "consolidated" && dir != protocols })
	if exists(filepath.Join(filepath.Dir(config), "runtime.exs")) {
		code.notes = append(code.notes, "config/runtime.exs is not read by a packaged function: read variables of the environment where they are needed, or pack a release")
	}
	return code, nil
}

// needed are the names of applications with those that they depend on.
func (c *taskCode) needed(names ...string) map[string]bool {
	all := map[string]bool{}
	for len(names) > 0 {
		name := names[0]
		names = names[1:]
		if all[name] {
			continue
		}
		all[name] = true
		if a := c.apps[name]; a != nil {
			names = append(names, a.needs...)
		}
	}
	return all
}

func (c *compiler) gleam() (*taskCode, error) {
	for _, dir := range []string{"build/erlang-shipment", "."} {
		root := filepath.Join(c.dir, filepath.FromSlash(dir))
		if !exists(filepath.Join(root, "entrypoint.sh")) {
			continue
		}
		// The shipment's folders are those of lib.
		lib := filepath.Join(c.temp, "lib")
		if err := os.Symlink(root, lib); err != nil {
			return nil, fmt.Errorf("layer: %w", err)
		}
		return readCode(c.temp)
	}
	return nil, fmt.Errorf("layer: %s is a project of Gleam's that has no shipment: run gleam export erlang-shipment in it", c.dir)
}

// sources compiles files of Erlang and of Elixir that are in no project. It is nil if
// there are none.
func (c *compiler) sources(ctx context.Context) (*taskCode, error) {
	find := func(ext string) []string {
		var all []string
		for _, dir := range []string{".", "src", "lib"} {
			_ = fs.WalkDir(os.DirFS(c.dir), dir, func(name string, d fs.DirEntry, err error) error {
				switch {
				case err != nil:
					return fs.SkipDir
				case d.IsDir() && (dir == "." && name != "." || strings.HasPrefix(d.Name(), "_")):
					return fs.SkipDir
				case !d.IsDir() && filepath.Ext(name) == ext:
					all = append(all, name)
				}
				return nil
			})
		}
		return all
	}
	erlang, elixir := find(".erl"), find(".ex")
	if len(erlang)+len(elixir) == 0 {
		return nil, nil
	}
	name, app, err := c.appSource()
	if err != nil {
		return nil, err
	}
	ebin := filepath.Join(c.temp, "ebin")
	if name != "" {
		ebin = filepath.Join(c.temp, "lib", name, "ebin")
	}
	if err := os.MkdirAll(ebin, 0o755); err != nil {
		return nil, fmt.Errorf("layer: %w", err)
	}
	if len(erlang) > 0 {
		erlc, err := c.tool("erlc")
		if err != nil {
			return nil, err
		}
		if err := c.run(ctx, nil, erlc, append([]string{"+deterministic", "-I", "include", "-I", "src", "-pa", ebin, "-o", ebin}, erlang...)...); err != nil {
			return nil, err
		}
	}
	if len(elixir) > 0 {
		elixirc, err := c.tool("elixirc")
		if err != nil {
			return nil, err
		}
		if err := c.run(ctx, nil, elixirc, append([]string{"-pa", ebin, "-o", ebin}, elixir...)...); err != nil {
			return nil, err
		}
	}
	if name != "" {
		if err := writeApp(ebin, name, app); err != nil {
			return nil, err
		}
		priv := filepath.Join(c.dir, "priv")
		if exists(priv) {
			if err := os.Symlink(priv, filepath.Join(filepath.Dir(ebin), "priv")); err != nil {
				return nil, fmt.Errorf("layer: %w", err)
			}
		}
	}
	return readCode(c.temp)
}

// appSource reads src/NAME.app.src. The name is "" if there is none.
func (c *compiler) appSource() (name string, app etf.Term, err error) {
	files, _ := filepath.Glob(filepath.Join(escape(c.dir), "src", "*.app.src"))
	if len(files) == 0 {
		return "", etf.Term{}, nil
	}
	b, err := os.ReadFile(files[0])
	if err != nil {
		return "", etf.Term{}, fmt.Errorf("layer: %w", err)
	}
	if app, err = etf.Parse(string(b)); err != nil || app.Len() != 3 || !app.At(0).IsAtom("application") {
		return "", etf.Term{}, fmt.Errorf("layer: %s describes no application: %w", files[0], err)
	}
	name, _ = app.At(1).AtomName()
	return name, app, nil
}

// writeApp writes the .app file of the modules in a folder.
func writeApp(ebin, name string, app etf.Term) error {
	beams, _ := filepath.Glob(filepath.Join(escape(ebin), "*.beam"))
	var modules []etf.Term
	for _, beam := range beams {
		modules = append(modules, etf.Atom(strings.TrimSuffix(filepath.Base(beam), ".beam")))
	}
	properties := []etf.Term{etf.Tuple(etf.Atom("modules"), etf.List(modules...))}
	for p := range app.At(2).All() {
		switch {
		case p.At(0).IsAtom("modules"):
			continue
		case p.At(0).IsAtom("vsn") && p.At(1).Kind() != etf.KindList:
			p = etf.Tuple(etf.Atom("vsn"), etf.Charlist("0")) // git, which only rebar3 asks
		}
		properties = append(properties, p)
	}
	slices.SortStableFunc(properties, func(x, y etf.Term) int { return etf.Compare(x.At(0), y.At(0)) })
	text := etf.Tuple(app.At(0), app.At(1), etf.List(properties...)).String() + ".\n"
	if err := os.WriteFile(filepath.Join(ebin, name+".app"), []byte(text), 0o644); err != nil {
		return fmt.Errorf("layer: %w", err)
	}
	return nil
}
