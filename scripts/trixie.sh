#!/bin/sh
# Debian 13's Erlang and Elixir (OTP 27, Elixir 1.18): packs layers and the examples
# with them, in a folder that holds a Debian 13, serves the examples from the archives in
# folders that hold nothing else, and runs the OTP application's own tests, and those
# that hold what package etf reads of text and of the distribution against OTP 27.
# Takes root, and a few minutes the first time.
set -eu
cd "$(dirname "$0")/.."

folder=$PWD/build/trixie
if [ "$(id -u)" -ne 0 ]; then
    echo "beamport: only root can make a folder of another system" >&2
    exit 1
fi

if [ ! -e "$folder/.ready" ]; then
    command -v debootstrap >/dev/null || DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends debootstrap >/dev/null
    # The mirror is the one that this machine installs from.
    mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | grep -v security | head -n 1)
    rm -rf "$folder"
    mkdir -p "$folder"
    echo "installing Debian 13 in build/trixie"
    debootstrap --variant=minbase --include=erlang-base,erlang-nox,erlang-dev,elixir,libc6 trixie "$folder" "$mirror" >build/trixie.log 2>&1 ||
        { tail -n 20 build/trixie.log >&2; exit 1; }
    touch "$folder/.ready"
fi

trap 'umount "$folder/proc" 2>/dev/null || true' EXIT
mountpoint -q "$folder/proc" || mount -t proc proc "$folder/proc"

CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o build/bootstrap ./cmd/bootstrap
CGO_ENABLED=0 go build -trimpath -o build/beamport ./cmd/beamport
work=$folder/srv
rm -rf "$work"
mkdir -p "$work/bin"
cp build/bootstrap build/beamport "$work/bin"
cp -R examples beam scripts "$work"
mkdir "$work/bootstrap"
cp -R bootstrap/testdata "$work/bootstrap"
mkdir "$work/etf"
cp -R etf/testdata "$work/etf"
CGO_ENABLED=0 go test -c -o "$work/bin/bootstrap.test" ./bootstrap
CGO_ENABLED=0 go test -c -o "$work/bin/etf.test" ./etf

inside() { chroot "$folder" env -i HOME=/tmp LANG=C.UTF-8 PATH=/usr/local/bin:/usr/bin:/bin MIX_ENV=prod "$@"; }
inside erl -noinput -boot start_clean -eval 'io:format("OTP ~s~n", [erlang:system_info(otp_release)]), halt().'
inside elixir --short-version
inside /srv/scripts/pack-examples.sh /srv/bin/beamport /srv/bin/bootstrap image:debian13 /srv/packed
go test -count=1 ./examples -run EmptyMachine -packed "$work/packed" -base "$folder" -target image:debian13
inside sh -c 'cd /srv/bootstrap && exec ../bin/bootstrap.test -test.run Boot'
inside sh -c 'cd /srv/etf && exec ../bin/etf.test -test.run "Parse|Sigils|Distribution"'
inside /srv/scripts/eunit.sh
