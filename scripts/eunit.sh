#!/bin/sh
# The OTP application's own tests: compiles it and beam/test into a folder of
# their own and runs every *_tests module with EUnit.
set -eu
cd "$(dirname "$0")/.."

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
scripts/beam.sh "$out/ebin"
erlc +debug_info +warnings_as_errors -pa "$out/ebin" -o "$out/ebin" beam/test/*.erl

erl -noinput -boot start_clean -pa "$out/ebin" -eval '
    [Dir] = init:get_plain_arguments(),
    Tests = [list_to_atom(filename:basename(F, ".beam")) || F <- filelib:wildcard(Dir ++ "/*_tests.beam")],
    case eunit:test(Tests, []) of
        ok -> halt(0);
        _ -> halt(1)
    end.' -extra "$out/ebin"
