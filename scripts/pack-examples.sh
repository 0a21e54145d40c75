#!/bin/sh
# Packs layers of the machine's Erlang and Elixir, and the examples with each kind of boot
# script, as the tests of examples/ take them with -packed.
#
#   pack-examples.sh BEAMPORT BOOTSTRAP TARGET OUT
set -eu

beamport=$1
bootstrap=$2
target=$3
out=$4
cd "$(dirname "$0")/../examples"
mkdir -p "$out"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for preset in erlang elixir elixir-tls full; do
    "$beamport" layer --preset "$preset" --target "$target" --bootstrap "$bootstrap" -o "$out/layer-$preset.zip"
done

cp -R hello_erlang hello_elixir "$work"
mkdir -p "$work/hello_erlang/ebin" "$work/tls"
erlc +warnings_as_errors -o "$work/hello_erlang/ebin" hello_erlang/src/hello_erlang.erl
cp testdata/tls.erl "$work/tls"
mkdir "$work/eval"
cp testdata/eval.ex "$work/eval"

package() { # NAME HANDLER KIND
    "$beamport" package --target "$target" --handler "$2" --boot "$3" -o "$out/$1-$3.zip" "$work/$1"
}
for kind in full lean function; do
    package hello_erlang hello_erlang:handle "$kind"
    package hello_elixir HelloElixir.handle "$kind"
    package eval Eval.handle "$kind"
done
package tls tls:handle full
