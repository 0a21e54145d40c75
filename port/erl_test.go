//go:build linux || darwin

package port_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/port"
)

// erlEcho is the protocol's other side in a real emulator, as small as can be.
const erlEcho = `
Port = open_port({fd, 3, 4}, [{packet, 4}, binary, eof]),
process_flag(trap_exit, true),
Send = fun(Term) -> port_command(Port, term_to_binary(Term)) end,
Halt = fun() -> halt(0, [{flush, false}]) end,
Cancelled = #{type => <<"cancelled">>, message => <<"nobody waits">>},
Send({ready, 1, #{otp => list_to_binary(erlang:system_info(otp_release)),
                  erts => list_to_binary(erlang:system_info(version)),
                  pid => list_to_integer(os:getpid())}}),
Loop = fun Loop() ->
    receive
        {Port, {data, Bytes}} ->
            case binary_to_term(Bytes, [safe]) of
                {call, Id, {echo, Term}} -> Send({reply, Id, Term});
                {call, Id, {log, Text}} ->
                    Send({log, notice, os:system_time(microsecond), Id, Text, #{line => 1}}),
                    Send({reply, Id, ok});
                {call, Id, {print, Text}} -> io:put_chars([Text, 10]), Send({reply, Id, ok});
                {call, Id, {fail, Text}} ->
                    Send({error, Id, error, #{type => <<"failed">>, message => Text}, [<<"erl_eval:expr/5">>]});
                {call, _, never} -> never;
                {call, _, {halt, Status}} -> halt(Status, [{flush, false}]);
                {cancel, Id} -> Send({error, Id, exit, Cancelled, []});
                {cast, _, deaf} -> receive never -> ok end;
                {cast, Id, _} -> Send({ack, Id});
                {stop, normal} -> Halt()
            end;
        {Port, eof} -> Halt();
        {'EXIT', Port, _} -> Halt()
    end,
    Loop()
end,
Loop().`

func erlCommand() port.Command {
	return port.Command{
		Path: "erl",
		Args: []string{"-noinput", "-boot", "start_clean", "-mode", "minimal", "+sbwt", "none", "-eval", erlEcho},
	}
}

func request(name string, t etf.Term) etf.Term { return etf.Tuple(etf.Atom(name), t) }

func TestErl(t *testing.T) {
	var out output
	c := erlCommand()
	c.OnOutput = out.add
	p := start(t, c)
	pid, _ := p.Ready().Info.GetAtom("pid")
	number, _ := pid.Int64()
	require.EqualValues(t, p.Pid(), number)

	terms := []etf.Term{
		etf.Int(-1), etf.Float(0.1), etf.Atom("ok"), etf.List(etf.Int(1), etf.Int(2)), etf.ImproperList(etf.Int(1), etf.Int(2)),
		etf.Map(etf.Pair{Key: etf.String("k"), Value: etf.Tuple()}), etf.Binary(nil), etf.Binary(pattern(2<<20, 1)),
		etf.BitString([]byte{0xA0}, 3), etf.Int(1 << 62),
	}
	for _, want := range terms {
		got, err := p.Conn().Call(t.Context(), request("echo", want))
		require.NoError(t, err)
		require.True(t, etf.Equal(want, got), "%v came back as %v", want, got)
	}

	var wg sync.WaitGroup
	for i := range 500 {
		wg.Go(func() {
			want := etf.Tuple(etf.Int(int64(i)), etf.Binary(pattern(i*20, i)))
			got, err := p.Conn().Call(t.Context(), request("echo", want))
			assert.NoError(t, err)
			assert.True(t, etf.Equal(want, got))
		})
	}
	wg.Wait()

	var lines []port.Log
	_, err := p.Conn().Do(t.Context(), port.Request{
		Term:  request("log", etf.String("grüße")),
		OnLog: func(l port.Log) { lines = append(lines, l) },
	})
	require.NoError(t, err)
	require.Len(t, lines, 1)
	require.Equal(t, "grüße", lines[0].Text)
	require.Equal(t, "notice", lines[0].Level)

	_, err = p.Conn().Call(t.Context(), request("fail", etf.String("on purpose")))
	failure, ok := errors.AsType[*port.CallError](err)
	require.True(t, ok, "%v", err)
	require.Equal(t, "on purpose", failure.Message())

	_, err = p.Conn().Call(t.Context(), request("print", etf.String("hello")))
	require.NoError(t, err)
	require.NoError(t, p.Conn().Cast(t.Context(), etf.Atom("ok")))

	ctx, cancel := context.WithCancel(t.Context())
	gaveUp := make(chan error)
	calls := p.Conn().Stats().Calls
	go func() {
		_, err := p.Conn().Call(ctx, etf.Atom("never"))
		gaveUp <- err
	}()
	eventually(t, func() bool { return p.Conn().Stats().Calls > calls })
	cancel()
	require.ErrorIs(t, <-gaveUp, context.Canceled)
	eventually(t, func() bool { return p.Conn().Stats().Abandoned == 0 })

	require.NoError(t, p.Stop(t.Context()))
	require.Zero(t, requireReaped(t, p).Code)
	require.Equal(t, []string{"hello"}, out.lines[port.Stdout])
}

func TestErlEnds(t *testing.T) {
	t.Run("in a call", func(t *testing.T) {
		p := start(t, erlCommand())
		_, err := p.Conn().Call(t.Context(), request("halt", etf.Int(5)))
		exit := requireReaped(t, p)
		require.Equal(t, port.ExitError{Code: 5}, *exit)
		require.ErrorIs(t, err, exit)
	})
	t.Run("killed in a call", func(t *testing.T) {
		p := start(t, erlCommand())
		failure := make(chan error)
		go func() {
			_, err := p.Conn().Call(context.Background(), etf.Atom("never"))
			failure <- err
		}()
		eventually(t, func() bool { return p.Conn().Stats().InFlight == 1 })
		require.NoError(t, syscall.Kill(p.Pid(), syscall.SIGKILL))
		exit := requireReaped(t, p)
		require.Equal(t, syscall.SIGKILL, exit.Signal)
		require.ErrorIs(t, <-failure, exit)
	})
	t.Run("by the end of its input", func(t *testing.T) {
		p := start(t, erlCommand())
		p.Conn().Close()
		require.Zero(t, requireReaped(t, p).Code)
	})
}

func ExampleStart() {
	p, err := port.Start(context.Background(), port.Command{
		Path: "erl",
		Args: []string{"-noinput", "-eval", erlEcho}, // which opens the port {fd, 3, 4}
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	answer, err := p.Conn().Call(context.Background(), etf.Tuple(etf.Atom("echo"), etf.List(etf.Int(1), etf.String("two"))))
	fmt.Println(answer, err)
	fmt.Println(p.Stop(context.Background()))
	// Output:
	// [1,<<"two">>] <nil>
	// <nil>
}
