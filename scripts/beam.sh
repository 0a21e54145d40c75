#!/bin/sh
# Compiles the OTP application.
#
#   beam.sh DIR      into DIR, as a clean ebin folder
#   beam.sh --check  into nothing: fails when the beams that the Go package beam
#                    embeds are not what their sources give (told on OTP 25, the
#                    release that they are compiled with; later releases compile
#                    the sources only, to see their warnings)
set -eu
cd "$(dirname "$0")/.."

compile() {
    to=$1
    rm -rf "$to"
    mkdir -p "$to"
    # Behaviours first: the modules that implement them are checked against them.
    first='' rest=''
    for source in beam/src/*.erl; do
        if grep -q '^-callback ' "$source"; then
            first="$first $source"
        else
            rest="$rest $source"
        fi
    done
    # shellcheck disable=SC2086 # lists of files
    erlc +deterministic +warnings_as_errors -o "$to" $first
    # shellcheck disable=SC2086
    erlc +deterministic +warnings_as_errors -pa "$to" -o "$to" $rest
    erl -noinput -boot start_clean -eval '
        [Src, Out] = init:get_plain_arguments(),
        {ok, [{application, App, Props}]} = file:consult(Src),
        Modules = lists:sort([list_to_atom(filename:basename(F, ".beam"))
                              || F <- filelib:wildcard(Out ++ "/*.beam")]),
        Spec = {application, App, lists:keystore(modules, 1, Props, {modules, Modules})},
        ok = file:write_file(Out ++ "/beamport.app", io_lib:format("~tp.~n", [Spec])),
        halt().' -extra beam/src/beamport.app.src "$to"
}

if [ "${1:-}" = --check ]; then
    out=$(mktemp -d)
    trap 'rm -rf "$out"' EXIT
    compile "$out/ebin"
    release=$(erl -noinput -boot start_clean -eval 'io:put_chars(erlang:system_info(otp_release)), halt().')
    if [ "$release" = 25 ] && ! diff -r "$out/ebin" beam/ebin; then
        echo "beam/ebin is not what beam/src gives: run make generate" >&2
        exit 1
    fi
else
    # Beside its place first: a Go build that runs meanwhile embeds what is there.
    compile "$1.new"
    rm -rf "$1"
    mv "$1.new" "$1"
fi
