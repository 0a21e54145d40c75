package etfjson_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/etf/etfjson"
)

// evaluate runs Erlang in a child emulator. File is bound to the path of a file
// that holds lines. It returns what the code prints, line by line.
func evaluate(t *testing.T, code string, lines []string) []string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "lines")
	require.NoError(t, os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o600))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	cmd := exec.CommandContext(ctx, "erl", "-noshell", "-noinput", "-boot", "start_clean", "-eval", "[File] = init:get_plain_arguments(), "+code+" halt(0).", "-extra", file)
	cmd.Env = append(os.Environ(), "ERL_CRASH_DUMP_BYTES=0")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "erl: %s %s", stderr.String(), out)
	return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
}

// OTP reads our terms in its safe mode and finds in them what the JSON says.
// The comparison is by bytes too, for 0.0 =:= -0.0 before OTP 27.
func TestOTPReadsOurTerms(t *testing.T) {
	digits := strings.Repeat("1234567890", 102) + "1234"
	cases := []struct{ json, erlang string }{
		{`null`, `nil`},
		{`[true,false,null]`, `[true,false,nil]`},
		{`{}`, `#{}`},
		{`[]`, `[]`},
		{`[1,2,255]`, `[1,2,255]`},
		{`[[],[1],{"a":[]}]`, `[[],[1],#{<<"a">> => []}]`},
		{`-0`, `0`},
		{`-0.0`, `-0.0`},
		{`[0.0,1.0,1e3,5e-324,1.7976931348623157e308]`, `[0.0,1.0,1000.0,5.0e-324,1.7976931348623157e308]`},
		{`[255,256,-1,2147483647,2147483648,-2147483648,-2147483649]`, `[255,256,-1,2147483647,2147483648,-2147483648,-2147483649]`},
		{`[134217727,134217728,-134217728,-134217729,576460752303423487,576460752303423488]`, `[134217727,134217728,-134217728,-134217729,576460752303423487,576460752303423488]`},
		{`[9223372036854775807,9223372036854775808,-9223372036854775808,-9223372036854775809]`, `[9223372036854775807,9223372036854775808,-9223372036854775808,-9223372036854775809]`},
		{`18446744073709551616`, `18446744073709551616`},
		{digits, digits},
		{"-" + digits, "-" + digits},
		{`"aé€😀\u0000\ud83d\ude00"`, `<<"aé€😀\0😀"/utf8>>`},
		{`{"é":{"\u20ac":"\n"}}`, `#{<<"é"/utf8>> => #{<<"€"/utf8>> => <<"\n">>}}`},
		{`{"a":1,"b":2,"\u0061":3}`, `#{<<"a">> => 3, <<"b">> => 2}`},
		{`{"a":{"x":1,"x":[1,2]},"c":null,"a":{"y":1,"y":2.5}}`, `#{<<"a">> => #{<<"y">> => 2.5}, <<"c">> => nil}`},
		{`{"no_such_atom_in_this_vm":"nor_this_one"}`, `#{<<"no_such_atom_in_this_vm">> => <<"nor_this_one">>}`},
		{`{"nil":"nil","true":true}`, `#{<<"nil">> => <<"nil">>, <<"true">> => true}`},
	}
	lines := []string{"%% coding: utf-8"}
	for _, c := range cases {
		term, err := etfjson.AppendTerm(nil, []byte(c.json))
		require.NoError(t, err, c.json)
		lines = append(lines, fmt.Sprintf("{\"%s\", %s}.", base64.StdEncoding.EncodeToString(term), c.erlang))
	}
	out := evaluate(t, `
		{ok, Cases} = file:consult(File),
		lists:foreach(fun({Base64, Want}) ->
			Got = binary_to_term(base64:decode(Base64), [safe]),
			Same = Got =:= Want andalso term_to_binary(Got) =:= term_to_binary(Want),
			case Same of true -> io:format("same~n"); false -> io:format("~0tp~n", [Got]) end
		end, Cases),`, lines)
	require.Len(t, out, len(cases))
	for i, c := range cases {
		assert.Equal(t, "same", out[i], "%s is not %s", c.json, c.erlang)
	}
}

// What OTP writes becomes the JSON that its terms stand for.
func TestWeReadOTPsTerms(t *testing.T) {
	cases := []struct{ erlang, json string }{
		{`#{ok => yes, nil => nil, <<"b">> => undefined, 7 => null}`, `{"ok":"yes","nil":null,"b":null,"7":null}`},
		{`[[], "abc", [1,2|[3]], lists:seq(254, 258)]`, `[[],[97,98,99],[1,2,3],[254,255,256,257,258]]`},
		{`{}`, `a tuple`},
		{`[1.0, -0.0, 0.1, 1.0e21, 1.0e-7, 123456789.125]`, `[1.0,-0.0,0.1,1e+21,1e-7,123456789.125]`},
		{`[1 bsl 64, -(1 bsl 64), (1 bsl 2048) - 1]`, `[18446744073709551616,-18446744073709551616,` + twoTo2048Minus1 + `]`},
		{`<<"aé€😀\"\\\n\0"/utf8>>`, `"aé€😀\"\\\n\u0000"`},
		{`['é', '😀', '', 'a b']`, `["é","😀","","a b"]`},
		{`maps:from_list([{integer_to_binary(N), N} || N <- lists:seq(1, 100)])`, ``},
		{`self()`, `a pid`},
		{`make_ref()`, `a reference`},
		{`fun erlang:now/0`, `an external fun`},
		{`fun(X) -> X end`, `a fun`},
		{`hd(erlang:ports())`, `a port`},
		{`<<1:3>>`, `a bit string`},
		{`[1|2]`, `an improper list`},
		{`#{{1} => 2}`, `a tuple as a key of a map`},
		{`#{a => 1, <<"a">> => 2}`, `two keys with the name "a" in one map`},
		{`#{'__struct__' => 'Elixir.Date', day => 1}`, `the struct Date`},
		{`<<255>>`, ``},
	}
	var lines []string
	for _, c := range cases {
		lines = append(lines, base64.StdEncoding.EncodeToString([]byte(c.erlang+".")))
	}
	out := evaluate(t, `
		{ok, Lines} = file:read_file(File),
		lists:foreach(fun(Line) ->
			{ok, Tokens, _} = erl_scan:string(unicode:characters_to_list(base64:decode(Line))),
			{ok, Exprs} = erl_parse:parse_exprs(Tokens),
			{value, Term, _} = erl_eval:exprs(Exprs, []),
			io:format("~s ~s~n", [base64:encode(term_to_binary(Term)), base64:encode(term_to_binary(Term, [{minor_version, 2}]))])
		end, binary:split(Lines, <<"\n">>, [global, trim_all])),`, lines)
	require.Len(t, out, len(cases))
	for i, c := range cases {
		for _, encoded := range strings.Fields(out[i]) {
			term, err := base64.StdEncoding.DecodeString(encoded)
			require.NoError(t, err)
			got, err := etfjson.AppendJSON(nil, term)
			var te *etfjson.TermError
			switch {
			case c.erlang == `<<255>>`:
				require.ErrorIs(t, err, etfjson.ErrInvalidUTF8)
			case strings.HasPrefix(c.erlang, "maps:"):
				require.NoError(t, err)
				want := map[string]int{}
				for n := 1; n <= 100; n++ {
					want[fmt.Sprint(n)] = n
				}
				var object map[string]int
				require.NoError(t, json.Unmarshal(got, &object))
				assert.Equal(t, want, object)
			case err != nil:
				require.ErrorAs(t, err, &te, c.erlang)
				assert.Equal(t, c.json, te.What, c.erlang)
			case c.json[0] == '{':
				assert.JSONEq(t, c.json, string(got), c.erlang)
			default:
				assert.Equal(t, c.json, string(got), c.erlang)
			}
		}
	}
}

const twoTo2048Minus1 = "32317006071311007300714876688669951960444102669715484032130345427524655138867890893197201411522913463688717960921898019494119559150490921095088152386448283120630877367300996091750197750389652106796057638384067568276792218642619756161838094338476170470581645852036305042887575891541065808607552399123930385521914333389668342420684974786564569494856176035326322058077805659331026192708460314150258592864177116725943603718461857357598351152301645904403697613233287231227125684710820209725157101726931323469678542580656697935045997268352998638215525166389437335543602135433229604645318478604952148193555853611059596230655"

// A million different names would kill a VM if they became atoms.
func TestNoAtomsComeOfNames(t *testing.T) {
	term, err := etfjson.AppendTerm(nil, []byte(wideObject(50_000)))
	require.NoError(t, err)
	out := evaluate(t, `
		{ok, Base64} = file:read_file(File),
		Term = base64:decode(string:trim(Base64)),
		Before = erlang:system_info(atom_count),
		Map = binary_to_term(Term, [safe]),
		After = erlang:system_info(atom_count),
		io:format("~b ~b~n", [map_size(Map), After - Before]),`, []string{base64.StdEncoding.EncodeToString(term)})
	require.Equal(t, []string{"50000 0"}, out)
}
