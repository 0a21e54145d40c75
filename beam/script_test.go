package beam

import (
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/etf"
)

// script writes a boot script and returns its path without the ending.
func script(t *testing.T, term etf.Term) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "a")
	b, err := etf.Encode(term)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file+".boot", b, 0o644))
	return file
}

func charlists(texts ...string) etf.Term {
	var all []etf.Term
	for _, text := range texts {
		all = append(all, etf.Charlist(text))
	}
	return etf.List(all...)
}

func TestReadScript(t *testing.T) {
	settings := etf.Map(etf.Pair{Key: etf.Atom("handler"), Value: etf.String("m:f")})
	file := script(t, ScriptTerm(BootFunction, "13.1", []etf.Term{
		etf.Tuple(etf.Atom("path"), charlists("$ROOT/lib/kernel/ebin", "$TASK/.")),
		etf.Tuple(etf.Atom("apply"), etf.Tuple(etf.Atom("beamport_function"), etf.Atom("boot"), etf.List(settings))),
	}))
	got, err := ReadScript(file)
	require.NoError(t, err)
	assert.Equal(t, Script{File: file, Kind: BootFunction, Handler: "m:f", erts: "13.1", paths: []string{"$ROOT/lib/kernel/ebin", "$TASK/."}}, got)

	_, err = ReadScript(filepath.Join(t.TempDir(), "none"))
	assert.ErrorIs(t, err, fs.ErrNotExist)
	for want, term := range map[string]etf.Term{
		".boot is not a boot script": etf.Atom("script"),
		`.boot is the boot script "Erlang/OTP 25", which is none of beamport's`: etf.Tuple(etf.Atom("script"), etf.Tuple(etf.Charlist("Erlang/OTP 25"), etf.Charlist("13.1")), etf.List()),
		`.boot is the boot script "beamport odd", which is none of beamport's`:  ScriptTerm("odd", "13.1", nil),
	} {
		_, err := ReadScript(script(t, term))
		assert.ErrorContains(t, err, want)
	}
}

func TestCheckScript(t *testing.T) {
	root := t.TempDir()
	i := Installation{Root: root, BinDir: filepath.Join(root, "erts-13.1", "bin")}
	b := Boot{TaskRoot: root, Ebin: root, Script: Script{File: "/s", erts: "13.1", paths: []string{"$TASK/.", "$ROOT", "$BEAMPORT"}}}
	require.NoError(t, i.Check(b))
	b.Script.paths = []string{"$TASK/lib/a/ebin"}
	assert.EqualError(t, i.Check(b), "beam: /s.boot needs the folder "+filepath.Join(root, "lib", "a", "ebin")+": file does not exist")
	b.Script.paths = []string{"$ELIXIR/lib/elixir/ebin"}
	assert.EqualError(t, i.Check(b), "beam: /s.boot needs Elixir, and there is none beside the runtime: take a layer that has it (beamport layer --preset elixir)")
	b.Script.paths = []string{"$ODD/x"}
	assert.EqualError(t, i.Check(b), "beam: /s.boot needs $ODD/x, and nothing says where $ODD is")
	b.Script.paths = []string{"$ROOT/lib/ssl-10.8/ebin"}
	assert.EqualError(t, i.Check(b), "beam: /s.boot needs the folder "+filepath.Join(root, "lib", "ssl-10.8", "ebin")+
		": file does not exist; a layer has it if it is made with beamport layer --with ssl, of the Erlang that the function was packaged for")
	b.Script.paths = []string{"$ELIXIR/lib/elixir/ebin"}
	b.Elixir = []string{root + "/lib/logger/ebin", root + "/lib/elixir/ebin"}
	require.NoError(t, os.MkdirAll(b.Elixir[1], 0o755))
	require.NoError(t, i.Check(b))
	b.Script.erts = "14.0"
	assert.EqualError(t, i.Check(b), "beam: /s.boot is for erts 14.0, this is 13.1")
}

// The emulator itself is started with a script, unless there are flags that only erlexec
// reads; with no more of anything than a function needs.
func TestScriptCommand(t *testing.T) {
	i := Installation{Root: "/r", BinDir: "/r/erts-13.1/bin"}
	b := Boot{Ebin: "/b", TaskRoot: "/t", Elixir: []string{"/e/lib/elixir/ebin"}, MaxPacket: 99, Schedulers: 3, Args: []string{"-x", "y"}}
	const (
		full     = "-noshell -noinput -boot /s -mode interactive -beamport_boot full -boot_var BEAMPORT /b -boot_var TASK /t -boot_var ELIXIR /e -beamport_max_packet 99 -x y"
		unwaited = " +sbwt none +sbwtdcpu none +sbwtdio none +fnu +pc unicode +Bi "
	)
	before := "-- -root /r -bindir /r/erts-13.1/bin -progname erl -- -home /h -- "
	for _, c := range []struct {
		kind        string
		concurrency int
		environ     []string
		program     string
		want        string
	}{
		{BootFull, 1, nil, "beam.smp", strings.ReplaceAll("+S 3:3 +SDcpu 1:1 +SDio 1 +P 65536 +Q 8192"+unwaited, "+", "-") + before + full},
		{BootFull, 4, nil, "beam.smp", strings.ReplaceAll("+S 3:3 +SDcpu 1:1 +SDio 4 +P 65536 +Q 8192"+unwaited, "+", "-") + before + full},
		{BootFull, 40, nil, "beam.smp", strings.ReplaceAll("+S 3:3 +SDcpu 1:1 +SDio 10 +P 65536 +Q 8192"+unwaited, "+", "-") + before + full},
		{BootFull, 1, []string{"ERL_FLAGS=+S 1"}, "erlexec", "+S 3:3 +SDcpu 1:1 +SDio 1 +P 65536 +Q 8192" + unwaited + full},
		{BootFull, 1, []string{"ERL_OTP25_FLAGS=-x"}, "erlexec", "+S 3:3 +SDcpu 1:1 +SDio 1 +P 65536 +Q 8192" + unwaited + full},
		{BootLean, 1, []string{"ERL_FLAGS="}, "beam.smp", strings.ReplaceAll("+S 3:3 +SDcpu 1:1 +SDio 1 +P 65536 +Q 8192"+unwaited, "+", "-") + before +
			strings.NewReplacer("interactive", "minimal", "_boot full", "_boot lean").Replace(full)},
		{BootFunction, 1, nil, "beam.smp", strings.ReplaceAll("+S 3:3 +SDcpu 1:1 +SDio 1 +P 16384 +Q 4096"+unwaited, "+", "-") + before +
			strings.Replace(full, "_boot full", "_boot function", 1)},
	} {
		b.Script, b.Concurrency = Script{File: "/s", Kind: c.kind}, c.concurrency
		path, args, env := i.Command(b, append([]string{"HOME=/h"}, c.environ...))
		assert.Equal(t, filepath.Join(i.BinDir, c.program), path)
		assert.Equal(t, c.want, strings.Join(args, " "), "%s %d %s", c.kind, c.concurrency, c.environ)
		assert.Contains(t, env, "ERL_CRASH_DUMP=/dev/null")
	}
	b.Schedulers = 0
	_, args, _ := i.Command(b, nil)
	n := strconv.Itoa(runtime.NumCPU())
	assert.Equal(t, []string{"-S", n + ":" + n}, args[:2])
}
