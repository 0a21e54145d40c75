#!/bin/sh
# Dialyzer over all of beam/src. What it knows of Erlang/OTP is kept in build/, one
# file for each release, and takes half a minute to make the first time.
set -eu
cd "$(dirname "$0")/.."

version=$(erl -noinput -boot start_clean -eval '
    io:format("~s-~s", [erlang:system_info(otp_release), erlang:system_info(version)]), halt().')
plt=build/dialyzer-$version.plt
if [ ! -f "$plt" ]; then
    mkdir -p build
    # Types of OTP's own that it knows nothing of are not ours to mend.
    dialyzer --quiet --build_plt --output_plt "$plt.new" --apps erts kernel stdlib >"$plt.log" 2>&1 || [ $? -eq 2 ] || {
        cat "$plt.log" >&2
        exit 1
    }
    mv "$plt.new" "$plt"
    rm -f "$plt.log"
fi

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
ERL_COMPILER_OPTIONS='[debug_info]' scripts/beam.sh "$out/ebin"
dialyzer --quiet --no_check_plt --plt "$plt" -Wunmatched_returns -Wmissing_return "$out/ebin"
