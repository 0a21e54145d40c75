#!/bin/sh
# Makes sure that Erlang/OTP and Elixir are there, with what the build and the
# tests need of them. Installs Debian's packages where apt is; says what to
# install elsewhere. Does nothing, quickly, when all is there already.
#
#   deps.sh            what the build and the tests need
#   deps.sh dialyzer   dialyzer too
set -eu

packages="erlang-base erlang-dev erlang-nox elixir"
tools="erl erlc escript elixir mix"
if [ "${1:-}" = dialyzer ]; then
    packages="$packages erlang-dialyzer"
    tools="$tools dialyzer"
fi

have_all() {
    for tool in $tools; do
        command -v "$tool" >/dev/null 2>&1 || { missing=$tool; return 1; }
    done
    missing=$(erl -noinput -boot start_clean -eval '
        Need = [compiler, crypto, eunit, ssl, tools],
        [io:format("~s ", [A]) || A <- Need, is_tuple(code:lib_dir(A))],
        halt().' 2>/dev/null) || { missing="a working erl"; return 1; }
    [ -z "$missing" ]
}

missing=
if have_all; then
    exit 0
fi

if ! command -v apt-get >/dev/null 2>&1; then
    cat >&2 <<EOF
beamport needs Erlang/OTP 25 or newer and Elixir 1.14 or newer (missing: $missing).
Install them with your system's package manager, for example
    brew install erlang elixir        (macOS)
    dnf install erlang elixir         (Fedora)
    apk add erlang-dev elixir         (Alpine)
    pacman -S erlang elixir           (Arch)
or with asdf or mise, and run make again.
EOF
    exit 1
fi

sudo=
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null 2>&1; then
        echo "beamport needs Erlang and Elixir (missing: $missing); as root, run: apt-get install $packages" >&2
        exit 1
    fi
    sudo=sudo
fi

echo "installing $packages (missing: $missing)"
# What apt has to say is of interest only when it fails.
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# shellcheck disable=SC2086 # the package list is meant to be split
if ! { $sudo apt-get update -qq || true # one source of several may be out of reach
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages; } >"$log" 2>&1; then
    cat "$log" >&2
    echo "beamport: apt-get could not install $packages" >&2
    exit 1
fi

if ! have_all; then
    echo "beamport: still missing after the installation: $missing" >&2
    exit 1
fi
