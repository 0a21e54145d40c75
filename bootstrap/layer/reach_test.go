package layer

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/beamport/beamport/internal/beamfile"
)

// What a function leads to is found from function to function: what its module exports
// besides does not count.
func TestReach(t *testing.T) {
	dir := compiled(t, map[string]string{
		"start": `-export([handle/1, other/0, spawns/0, applies/1, child/0, fails/0, cut/0]).
handle(X) -> near:a(X), local(X).
local(X) -> Fun = fun near:c/1, Fun(X).
other() -> far:a().
spawns() -> spawn(spawned, run, [1]).
applies(F) -> apply(dynamic, F, []).
child() -> {ok, {#{}, [{child, {child, start_link, []}}]}}.
fails() -> error(reasons:make()).
cut() -> cut:it().`,
		"near": `-export([a/1, b/1, c/1]).
a(X) -> deep:a(X).
b(X) -> unused:a(X).
c(X) -> constant:a(X).`,
		"deep":     "-export([a/1]).\na(X) -> X.",
		"unused":   "-export([a/1]).\na(X) -> X.",
		"constant": "-export([a/1]).\na(X) -> X.",
		"far":      "-export([a/0]).\na() -> 1.",
		"spawned":  "-export([run/1]).\nrun(X) -> deep:a(X).",
		"dynamic":  "-export([f/0]).\nf() -> far:a().",
		"child":    "-export([start_link/0]).\nstart_link() -> far:a().",
		"reasons":  "-export([make/0]).\nmake() -> 1.",
		"cut":      "-export([it/0]).\nit() -> 1.",
	})
	library := newLibrary(dir)
	for _, c := range []struct {
		from beamfile.MFA
		want []string
	}{
		{beamfile.MFA{Module: "start", Function: "handle", Arity: 1}, []string{"constant", "deep", "near", "start"}},
		{beamfile.MFA{Module: "start", Function: "other", Arity: 0}, []string{"far", "start"}},
		{beamfile.MFA{Module: "start", Function: "spawns", Arity: 0}, []string{"deep", "spawned", "start"}},
		{beamfile.MFA{Module: "start", Function: "child", Arity: 0}, []string{"child", "far", "start"}},
		{beamfile.MFA{Module: "start", Function: "fails", Arity: 0}, []string{"reasons", "start"}},
		{beamfile.MFA{Module: "start", Function: "cut", Arity: 0}, []string{"start"}},
		{beamfile.MFA{Module: "start", Function: "nope", Arity: 0}, []string{"start"}},
		{beamfile.MFA{Module: "nope", Function: "handle", Arity: 1}, []string{}},
	} {
		r := newReach(library.module)
		r.cut[beamfile.MFA{Module: "cut"}] = true
		r.from(c.from)
		assert.Equal(t, c.want, r.names(), "%v", c.from)
	}

	whole := newReach(library.module)
	whole.wholly("near")
	assert.Equal(t, []string{"constant", "deep", "near", "unused"}, whole.names())
}

// Modules that run code when they are loaded are never loaded in advance.
func TestRunsOnLoad(t *testing.T) {
	library := newLibrary(compiled(t, map[string]string{
		"loads": "-export([run/0]).\n-on_load(run/0).\nrun() -> ok.",
		"plain": "-export([run/0]).\nrun() -> ok.",
	}))
	assert.True(t, library.runsOnLoad("loads"))
	assert.False(t, library.runsOnLoad("plain"))
	assert.False(t, library.runsOnLoad("missing"))
	assert.Equal(t, []string{"loads"}, library.allOnLoad())
}
