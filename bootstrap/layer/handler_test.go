package layer

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/beam"
	"github.com/beamport/beamport/internal/beamfile"
)

func TestParseHandler(t *testing.T) {
	for name, want := range map[string]handlerName{
		"Example.hello":        {"Elixir.Example", "hello"},
		"Elixir.My.Mod.fun":    {"Elixir.My.Mod", "fun"},
		"My.Mod.valid?":        {"Elixir.My.Mod", "valid?"},
		"Example:hello":        {"Elixir.Example", "hello"},
		"example:hello":        {"example", "hello"},
		"example.hello":        {"example", "hello"},
		"dir/sub/mod.fun":      {"dir@sub@mod", "fun"},
		"my-mod:my-fun":        {"my-mod", "my-fun"},
		"größe:größe":          {"größe", "größe"},
		"My.Mod":               {"Elixir.My.Mod", ""},
		"mod":                  {"mod", ""},
		"Elixir.Elixir.Thing":  {"Elixir.Elixir.Thing", ""},
		"example._private_one": {"example", "_private_one"},
	} {
		got, err := parseHandler(name)
		require.NoError(t, err, name)
		assert.Equal(t, want, got, name)
	}
}

// The runtime takes names apart too: a function is packed under the name that it is
// called by later.
func TestParseHandlerAgrees(t *testing.T) {
	long := strings.Repeat("x", 256)
	names := []string{
		"", ":", ".", "..", "a:", ":a", "a.", ".a", "a:b:c", "a::b", "a.b:c", "A.b:c", "a.b.c", "A.b.c", "A.B.c", "A.B", "A.B.", "A..B", "A..b",
		"Example.hello", "Elixir.Example.hello", "Elixir.Example", "Elixir", "Elixir.", "Elixir:x", "Elixir.x", "Elixir.Elixir", "Elixir.Elixir.x", "elixir.x", "elixir", "ElixirX.y",
		"Elixir/x.y", "dir/mod.fun", "dir/mod:fun", "dir/mod", "dir/Mod.fun", "Dir/mod.fun", "dir//mod.fun", "/mod.fun", "dir/.fun", "dir/mod.", "dir/m.n.fun", "./mod.fun", "../mod:fun",
		"my-mod:my-fun", "my-mod.my-fun", "My-Mod.fun", "-mod:fun", "mod:-fun", "mod:fun-", "my-mod", "A.my-fun",
		"mod:fun?", "mod:fun!", "mod:fun?!", "mod:?", "mod:_", "mod:_?", "mod?:fun", "mod:fu?n", "Mod.fun!", "Mod.Fun!", "Mod?",
		"mod:Fun", "Mod:Fun", "mod.Fun", "Mod.Fun", "_mod:fun", "_mod", "mod:9", "mod:f9", "9mod:fun", "m9:f", "m@n:f@g", "@m:f", "m:@f", "A@b.f", "A_b.f",
		"mod fun", "mod: fun", " mod:fun", "mod:fun ", "mod:fun\n", "mod\t:fun", "'mod':fun", "mod:'fun'", "mod,fun", "mod:fun/2", "mod(fun)", `mod\fun`, "mod:fun\x00",
		"größe:größe", "Größe.größe", "Ökonomie.x", "ökonomie:Ö", "日本:語", "mod:日本?", "Mod.日本", "日本.Mod", "\u00a0:\u00a0", "mod\u2028:fun", "é:x", "mod:\u007f",
		"\xff", "mod:\xff", "mod:\xed\xa0\x80", "mod:fun\xc3",
		long + ":f", long[1:] + ":f", "m:" + long, "m:" + long[1:], "X" + long[:247] + ".f", "X" + long[:248] + ".f", "X" + long[:247], "X" + long[:248], "m:" + strings.Repeat("ö", 255), "m:" + strings.Repeat("ö", 256),
	}
	ebin, remove, err := beam.Ebin("")
	require.NoError(t, err)
	t.Cleanup(func() { _ = remove() })
	var encoded, ours []string
	for _, name := range names {
		encoded = append(encoded, `"`+base64.StdEncoding.EncodeToString([]byte(name))+`"`)
		line := "error"
		if h, err := parseHandler(name); err == nil {
			line = fmt.Sprintf("%x %x", h.module, h.function)
		} else {
			assert.True(t, strings.HasPrefix(err.Error(), "layer: "), "%s", err)
		}
		ours = append(ours, line)
	}
	out := erl(t, `
		Hex = fun(A) -> [io_lib:format("~2.16.0b", [B]) || <<B>> <= atom_to_binary(A, utf8)] end,
		[case beamport_handler_name:parse(base64:decode(N)) of
			{ok, {M, F}} -> io:format("~s ~s~n", [Hex(M), Hex(F)]);
			{ok, {M}} -> io:format("~s ~n", [Hex(M)]);
			{error, _} -> io:format("error~n")
		end || N <- [`+strings.Join(encoded, ",")+`]]`, "-pa", ebin)
	theirs := strings.Split(out, "\n")
	require.Len(t, theirs, len(names))
	for i, name := range names {
		assert.Equal(t, strings.TrimRight(theirs[i], " "), strings.TrimRight(ours[i], " "), "%q", name)
	}
}

func TestExported(t *testing.T) {
	module := func(name string, exports ...string) *beamfile.Module {
		m := &beamfile.Module{Name: name}
		for _, e := range exports {
			function, arity, _ := strings.Cut(e, "/")
			m.Exports = append(m.Exports, beamfile.FA{Function: function, Arity: int(arity[0] - '0')})
		}
		return m
	}
	for _, c := range []struct {
		name    string
		handler handlerName
		module  *beamfile.Module
		want    string // of the error, "" for none
	}{
		{"with a context", handlerName{"m", "hello"}, module("m", "hello/2"), ""},
		{"without", handlerName{"m", "hello"}, module("m", "hello/1"), ""},
		{"a behaviour", handlerName{"m", ""}, module("m", "init/1", "handle/3"), ""},
		{"a behaviour without a state", handlerName{"m", ""}, module("m", "handle/2"), ""},
		{"another arity", handlerName{"m", "hello"}, module("m", "hello/3", "other/1"), "layer: the module m exports neither hello/2 nor hello/1: it has hello/3"},
		{"another name", handlerName{"Elixir.My.M", "hello"}, module("Elixir.My.M", "helo/2", "bye/1", "far/4", "module_info/1", "__info__/1", "MACRO-x/2"),
			"layer: the module My.M exports neither hello/2 nor hello/1: it has bye/1, helo/2"},
		{"many others", handlerName{"m", "hello"}, module("m", "f/1", "e/1", "d/1", "c/1", "b/1", "a/1"),
			"layer: the module m exports neither hello/2 nor hello/1: it has a/1, b/1, c/1, d/1, e/1"},
		{"nothing", handlerName{"m", "hello"}, module("m", "module_info/1"), "layer: the module m exports neither hello/2 nor hello/1: it has no function that could be a handler"},
		{"no behaviour", handlerName{"m", ""}, module("m", "handle/1"), "layer: the module m exports neither handle/3 nor handle/2: it has handle/1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := c.handler.exported(c.module)
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.EqualError(t, err, c.want)
		})
	}
}
