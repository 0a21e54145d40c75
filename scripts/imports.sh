#!/bin/sh
# Imports run one way: cmd, examples, fuzz -> bootstrap -> port -> etf -> the
# standard library. Fails, naming the offender, when a package looks the wrong
# way or when etf or port need a module at run time.
set -eu

module=$(go list -m)
status=0

# check PATTERN FORBIDDEN...: no package of PATTERN depends on a FORBIDDEN one.
check() {
    pattern=$1
    shift
    for package in $(go list "$pattern"); do
        deps=$(go list -deps "$package")
        for forbidden in "$@"; do
            found=$(printf '%s\n' "$deps" | grep -E "^$forbidden(/|\$)" || true)
            if [ -n "$found" ]; then
                echo "imports: $package must not depend on: $(echo "$found" | tr "\n" " ")" >&2
                status=1
            fi
        done
    done
}

# stdlib PACKAGE...: a package needs the standard library and ours alone.
stdlib() {
    for package in "$@"; do
        found=$(go list -deps -f '{{if not .Standard}}{{.ImportPath}}{{end}}' "$package" | grep -v "^$module/" || true)
        if [ -n "$found" ]; then
            echo "imports: $package needs more than the standard library: $(echo "$found" | tr "\n" " ")" >&2
            status=1
        fi
    done
}

check ./etf/... "$module/port" "$module/bootstrap" "$module/beam" "$module/cmd" "$module/fuzz" "$module/examples"
check ./port/... "$module/bootstrap" "$module/beam" "$module/cmd" "$module/fuzz" "$module/examples"
check ./beam/... "$module/port" "$module/bootstrap" "$module/cmd" "$module/fuzz" "$module/examples"
check ./internal/beamfile "$module/port" "$module/bootstrap" "$module/beam" "$module/cmd"
check ./internal/elffile "$module/etf" "$module/port" "$module/bootstrap" "$module/beam" "$module/cmd"
check ./bootstrap/... "$module/cmd" "$module/fuzz" "$module/examples"
stdlib "$module/etf" "$module/port" "$module/beam"
exit $status
