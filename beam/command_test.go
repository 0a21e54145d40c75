package beam

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCommand(t *testing.T) {
	i := Installation{Root: "/r", BinDir: "/r/erts-1/bin", Boot: "/r/bin/start_clean"}
	path, args, env := i.Command(Boot{Ebin: "/b", Elixir: []string{"/e/elixir", "/e/logger"}, MaxPacket: 99, Args: []string{"-x", "y"}},
		[]string{"A=1", "ROOTDIR=/other", "LC_ALL=de_DE", "LANG=en_US.UTF-8", "HOME=/h", "ERL_CRASH_DUMP=/tmp/d", "RELEASE_COOKIE=c"})
	assert.Equal(t, "/r/erts-1/bin/erlexec", path)
	assert.Equal(t, "+sbwt none +sbwtdcpu none +sbwtdio none +fnu +pc unicode +Bi -boot /r/bin/start_clean -noinput -noshell"+
		" -mode interactive -pz /e/elixir -pz /e/logger -pa /b -beamport_max_packet 99 -x y -s beamport boot", strings.Join(args, " "))
	assert.ElementsMatch(t, []string{
		"A=1", "LANG=en_US.UTF-8", "HOME=/h", "RELEASE_COOKIE=c",
		"ROOTDIR=/r", "BINDIR=/r/erts-1/bin", "EMU=beam", "PROGNAME=erl", "LC_ALL=C.UTF-8", "ERL_CRASH_DUMP=/dev/null", "ERL_CRASH_DUMP_SECONDS=0",
	}, env)

	// What a release's vm.args has comes behind it, and counts.
	_, args, _ = i.Command(Boot{Ebin: "/b", Schedulers: 1, Args: []string{"+S", "4"}}, nil)
	assert.Contains(t, strings.Join(args, " "), " +S 1:1 -pa /b +S 4 ")

	_, args, env = i.Command(Boot{Ebin: "/b"}, nil)
	assert.NotContains(t, args, "-beamport_max_packet")
	assert.NotContains(t, args, "+S")
	assert.Contains(t, env, "HOME=/tmp")
}

// Shared libraries are looked for in the function's lib, then in the layer's, then where
// they were before.
func TestCommandLibraries(t *testing.T) {
	root := t.TempDir()
	lib := filepath.Join(root, "lib")
	require.NoError(t, os.MkdirAll(filepath.Join(lib, "app", "ebin"), 0o755))
	path := func(libraries string, environ ...string) string {
		_, _, env := Installation{Root: "/r", BinDir: "/r/erts-1/bin", Libraries: libraries}.Command(Boot{TaskRoot: root}, environ)
		value, set := "", false
		for _, entry := range env {
			if v, ok := strings.CutPrefix(entry, "LD_LIBRARY_PATH="); ok {
				require.False(t, set, "once")
				value, set = v, true
			}
		}
		return value
	}
	assert.Equal(t, "", path(""))
	assert.Equal(t, "/a:/b", path("", "LD_LIBRARY_PATH=/a:/b"))
	assert.Equal(t, "/l", path("/l", "LD_LIBRARY_PATH="), "an empty one is no folder")
	assert.Equal(t, "/l:/a:/b", path("/l", "LD_LIBRARY_PATH=/a:/b"), "there are none in the function's lib")
	require.NoError(t, os.WriteFile(filepath.Join(lib, "libone.so.1"), nil, 0o644))
	assert.Equal(t, lib, path(""))
	assert.Equal(t, lib+":/l:/a:/b", path("/l", "LD_LIBRARY_PATH=/a:/b"))
}

// The installed emulator, started as it is for a function.
func TestCommandStarts(t *testing.T) {
	home := t.TempDir()
	other := filepath.Join(home, "größe")
	require.NoError(t, os.Mkdir(other, 0o755))
	elixir, _ := FindElixir(DefaultSearch(os.Environ()))
	// Little is set, and the locale is one that is not installed.
	out := run(t, Boot{Ebin: home, Elixir: elixir}, []string{"PATH=/nonexistent", "LANG=en_US.UTF-8", "DIR=" + home}, `
		{ok, Names} = file:list_dir(os:getenv("DIR")),
		io:format("~w~n", [{node(), net_kernel:get_state(), file:native_name_encoding(),
			[[G || <<G/utf8>> <= unicode:characters_to_binary(N)] || N <- Names],
			whereis(user) =/= undefined, os:getenv("HOME") =:= "/tmp", os:getenv("ERL_CRASH_DUMP") =:= "/dev/null",
			erlang:system_info(schedulers) =:= erlang:system_info(logical_processors_available),
			lists:keymember(sasl, 1, application:which_applications())}]), halt().`)
	assert.Equal(t, `{nonode@nohost,#{started=>no},utf8,[[103,114,246,223,101]],true,true,true,true,false}`,
		strings.Join(strings.Fields(out), ""), "%s", out)
}

// What a person sets for erl counts here as well.
func TestCommandFlagsOfEnvironment(t *testing.T) {
	out := run(t, Boot{Ebin: t.TempDir()}, append(os.Environ(), "ERL_FLAGS=+S 1:1", "ERL_ZFLAGS=-zebra stripes"), `
		io:format("~p ~p", [erlang:system_info(schedulers), init:get_argument(zebra)]), halt().`)
	assert.Equal(t, `1 {ok,[["stripes"]]}`, out)
}

// A VM that runs out of memory ends, rather than write down all that it holds.
func TestOutOfMemory(t *testing.T) {
	i, err := Find(DefaultSearch(os.Environ()))
	require.NoError(t, err)
	path, args, env := i.Command(Boot{Ebin: t.TempDir(), Args: []string{"-eval", `
		Hoard = fun Hoard(L) -> Hoard([lists:seq(1, 1000000) | L]) end,
		Hoard([]).`}}, os.Environ())
	args = append([]string{"-c", `ulimit -v 1400000 && exec "$@"`, "sh", path}, args[:len(args)-3]...)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "/bin/sh", args...)
	cmd.Env = env
	out, err := cmd.CombinedOutput()
	require.NoError(t, ctx.Err(), "%s", out)
	require.Error(t, err)
	require.Contains(t, string(out), "Cannot allocate")
	require.NotContains(t, string(out), "Crash dump is being written")
}
