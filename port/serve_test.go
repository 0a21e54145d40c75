//go:build linux || darwin

package port_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/port"
)

// workerVariable names, in the environment of the test binary, the descriptors on
// which it is to be a worker instead of running tests. That is seen to before anything
// else, for what plays other children opens 3 and 4.
const workerVariable = "PORT_TEST_WORKER"

func init() {
	switch os.Getenv(workerVariable) {
	case "worker on stdio":
		stream, err := port.Stdio()
		fmt.Println("printed by the worker") // does no harm
		playWorker(stream, err)
	case "worker on 3 and 4":
		fmt.Println("printed by the worker")
		playWorker(port.NoUseStdio())
	}
}

func playWorker(rwc io.ReadWriteCloser, err error) {
	if err == nil {
		err = workerServer().ServeConn(context.Background(), rwc)
	}
	fmt.Fprintln(os.Stderr, "worker ended:", err)
	if err != nil {
		os.Exit(1)
	}
	os.Exit(0)
}

// erlClient calls a Go server through Send and Next, and says how it went.
const erlClient = `
Talk = fun(Send, Next) ->
    {ready, 1, #{pid := Pid}} = Next(),
    true = is_integer(Pid),
    Big = binary:copy(<<"0123456789">>, 200000),
    Send({call, 1, {echo, #{a => [1, 2.5, <<"x">>], b => Big}}}),
    {reply, 1, #{a := [1, 2.5, <<"x">>], b := Big}} = Next(),
    Send({call, 2, {panic, x}}),
    {error, 2, error, #{type := <<"panic">>}, [_ | _]} = Next(),
    Send({call, 3, {block, x}}),
    Send({ping, 17}),
    {pong, 17} = Next(),
    Send({cancel, 3}),
    {error, 3, exit, #{type := <<"cancelled">>}, []} = Next(),
    Send({call, 4, {stream, <<"abcdef">>}, 4}),
    {head, 4, 6} = Next(),
    {chunk, 4, <<"abcd">>} = Next(),
    Send({credit, 4, 10}),
    {chunk, 4, <<"ef">>} = Next(),
    {done, 4, 'end'} = Next(),
    Send({cast, 5, hello}),
    {log, error, _, 5, _, #{}} = Next(),
    {ack, 5} = Next(),
    Send({call, 6, {log, <<"x">>}}),
    {log, warning, _, 6, <<"x">>, #{<<"g.b">> := true}} = Next(),
    {reply, 6, ok} = Next()
end,
`

func workerServer() *port.Server {
	return &port.Server{
		Handler: port.HandlerFunc(testHandler),
		OnCast:  func(context.Context, etf.Term) { panic("a cast") },
	}
}

// runErl has an emulator evaluate code; what it prints is returned.
func runErl(t *testing.T, code string, env ...string) (stdout, stderr string) {
	t.Helper()
	c := exec.CommandContext(t.Context(), "erl", "-noinput", "-boot", "start_clean", "+sbwt", "none", "-eval", code+", io:put_chars(\"all well\\n\"), halt(0).")
	c.Env = append(os.Environ(), env...)
	c.WaitDelay = 5 * time.Second // for what it may leave behind
	var out, log bytes.Buffer
	c.Stdout, c.Stderr = &out, &log
	require.NoError(t, c.Run(), "%s\n%s", &out, &log)
	require.Contains(t, out.String(), "all well")
	return out.String(), log.String()
}

func TestServeUnderErl(t *testing.T) {
	for _, test := range []struct{ child, options string }{
		{"worker on stdio", ""},
		{"worker on 3 and 4", ", nouse_stdio"},
	} {
		t.Run(test.child, func(t *testing.T) {
			path, err := os.Executable()
			require.NoError(t, err)
			// exit_status comes only when the worker ends by itself, by stop.
			runErl(t, erlClient+fmt.Sprintf(`
Start = fun() -> open_port({spawn_executable, %q}, [{packet, 4}, binary, exit_status, {env, [{%q, %q}]}%s]) end,
Port = Start(),
Talk(fun(T) -> port_command(Port, term_to_binary(T)) end,
     fun() -> receive {Port, {data, B}} -> binary_to_term(B) after 20000 -> error(timeout) end end),
port_command(Port, term_to_binary({stop, normal})),
receive {Port, {exit_status, 0}} -> ok after 20000 -> error(no_stop) end,
Closed = Start(),
{os_pid, Pid} = erlang:port_info(Closed, os_pid),
receive {Closed, {data, _}} -> ok after 20000 -> error(no_ready) end,
port_command(Closed, term_to_binary({call, 1, {block, x}})),
port_close(Closed),
Gone = fun Gone(0) -> error(still_there);
           Gone(N) -> case os:cmd("kill -0 " ++ integer_to_list(Pid) ++ " 2>&1") of
                          [] -> timer:sleep(10), Gone(N - 1);
                          _ -> ok
                      end
       end,
Gone(1000)`, path, workerVariable, test.child, test.options))
		})
	}
}

// A worker that streams does not outlive its BEAM.
func TestServeStreamsToErlThatHalts(t *testing.T) {
	path, err := os.Executable()
	require.NoError(t, err)
	out, _ := runErl(t, fmt.Sprintf(`
Port = open_port({spawn_executable, %q}, [{packet, 4}, binary, {env, [{%q, "worker on stdio"}]}]),
Next = fun() -> receive {Port, {data, B}} -> binary_to_term(B) after 20000 -> error(timeout) end end,
{ready, 1, _} = Next(),
port_command(Port, term_to_binary({call, 1, {tick, x}, 1 bsl 40})),
{head, 1, _} = Next(),
{chunk, 1, _} = Next(),
{chunk, 1, _} = Next(),
{os_pid, Pid} = erlang:port_info(Port, os_pid),
io:format("~b~n", [Pid])`, path, workerVariable))
	var pid int
	_, err = fmt.Sscan(out, &pid)
	require.NoError(t, err)
	endIfFailed(t, pid)
	requireGone(t, pid)
}

// A worker whose stdout is closed at the other end is told so by an error: it
// is not killed by SIGPIPE.
func TestStdioBrokenOutput(t *testing.T) {
	path, err := os.Executable()
	require.NoError(t, err)
	c := exec.CommandContext(t.Context(), path)
	c.Env = append(os.Environ(), workerVariable+"=worker on stdio")
	stdin, err := c.StdinPipe()
	require.NoError(t, err)
	defer stdin.Close()
	r, w, err := os.Pipe()
	require.NoError(t, err)
	r.Close()
	var stderr bytes.Buffer
	c.Stdout, c.Stderr = w, &stderr
	require.NoError(t, c.Start())
	w.Close()
	require.Error(t, c.Wait())
	require.True(t, c.ProcessState.Exited(), "%v", c.ProcessState)
	require.Contains(t, stderr.String(), "broken pipe")
	require.Contains(t, stderr.String(), "printed by the worker")
}

func TestServeSocketsToErl(t *testing.T) {
	for _, network := range []string{"unix", "tcp"} {
		t.Run(network, func(t *testing.T) {
			address, connect := "127.0.0.1:0", ""
			if network == "unix" {
				address = filepath.Join(t.TempDir(), "s")
				connect = fmt.Sprintf("{local, %q}, 0", address)
			}
			l, err := port.Listen(t.Context(), network, address)
			require.NoError(t, err)
			if network == "tcp" {
				connect = fmt.Sprintf("{127,0,0,1}, %d", l.Addr().(*net.TCPAddr).Port)
			}
			ctx, cancel := context.WithCancel(t.Context())
			ended, served := make(chan error, 1), make(chan error, 1)
			go func() {
				served <- l.Serve(ctx, workerServer(), func(_ net.Addr, err error) { ended <- err })
			}()
			runErl(t, erlClient+`{ok, S} = gen_tcp:connect(`+connect+`, [binary, {packet, 4}, {active, false}]),
Talk(fun(T) -> ok = gen_tcp:send(S, term_to_binary(T)) end,
     fun() -> {ok, B} = gen_tcp:recv(S, 0, 20000), binary_to_term(B) end),
gen_tcp:close(S)`)
			require.NoError(t, <-ended)
			cancel()
			require.NoError(t, <-served)
		})
	}
}

// erlServes answers one call on the socket S.
const erlServes = `
ok = gen_tcp:send(S, term_to_binary({ready, 1, #{}})),
{ok, B} = gen_tcp:recv(S, 0, 20000),
{call, Id, {echo, Term}} = binary_to_term(B),
ok = gen_tcp:send(S, term_to_binary({reply, Id, Term})),
{error, closed} = gen_tcp:recv(S, 0, 20000)`

func requireEcho(t *testing.T, c *port.Conn) {
	t.Helper()
	answer, err := c.Call(t.Context(), request("echo", etf.String("hello")))
	require.NoError(t, err)
	require.Equal(t, `<<"hello">>`, answer.String())
	c.Close()
	<-c.Done()
}

func TestListenForErl(t *testing.T) {
	for _, network := range []string{"unix", "tcp"} {
		t.Run(network, func(t *testing.T) {
			address := "127.0.0.1:0"
			if network == "unix" {
				address = filepath.Join(t.TempDir(), "s")
			}
			l, err := port.Listen(t.Context(), network, address)
			require.NoError(t, err)
			connect := fmt.Sprintf("{local, %q}, 0", address)
			if tcp, ok := l.Addr().(*net.TCPAddr); ok {
				connect = fmt.Sprintf("{127,0,0,1}, %d", tcp.Port)
			}
			silent, err := net.Dial(network, l.Addr().String()) // keeps others waiting, but not for long
			require.NoError(t, err)
			silent.Close()
			done := make(chan struct{})
			go func() {
				defer close(done)
				c, err := l.Accept(t.Context(), port.Options{})
				if err == nil {
					requireEcho(t, c)
				}
			}()
			runErl(t, `{ok, S} = gen_tcp:connect(`+connect+`, [binary, {packet, 4}, {active, false}]),`+erlServes)
			<-done
			require.NoError(t, l.Close())
			if network == "unix" {
				require.NoFileExists(t, address)
			}
			_, err = l.Accept(t.Context(), port.Options{})
			require.ErrorIs(t, err, net.ErrClosed)
		})
	}
}

func TestDialErl(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	ready := filepath.Join(t.TempDir(), "listening")
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		runErl(t, fmt.Sprintf(`{ok, L} = gen_tcp:listen(0, [binary, {packet, 4}, {active, false}, {ifaddr, {local, %q}}]),
ok = file:write_file(%q, <<>>), {ok, S} = gen_tcp:accept(L, 20000),`, path, ready)+erlServes)
	}()
	eventually(t, func() bool { _, err := os.Stat(ready); return err == nil })
	c, err := port.Dial(t.Context(), "unix", path, port.Options{})
	require.NoError(t, err)
	requireEcho(t, c)
	<-ended
}

func TestDialFails(t *testing.T) {
	_, err := port.Dial(t.Context(), "unix", filepath.Join(t.TempDir(), "none"), port.Options{})
	require.ErrorIs(t, err, os.ErrNotExist)
	require.True(t, strings.HasPrefix(err.Error(), "port: "), err)

	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error)
	go func() {
		_, err := port.Dial(ctx, "tcp", l.Addr().String(), port.Options{})
		failed <- err
	}()
	silent, err := l.Accept()
	require.NoError(t, err)
	defer silent.Close()
	cancel()
	require.ErrorIs(t, <-failed, context.Canceled)
}

// A worker's main function.
func ExampleServe() {
	main := func() {
		err := port.Serve(context.Background(), port.HandlerFunc(func(ctx context.Context, c *port.ServerCall) (etf.Term, error) {
			request, err := c.Term()
			if err != nil {
				return etf.Term{}, err
			}
			return etf.Tuple(etf.Atom("ok"), request), nil
		}))
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	_ = main
}
