#!/bin/sh
# Reads what is in deploy/ as the tools do that will: the template of CloudFormation
# against the schema of its resources, Terraform's files, Dockerfiles, whose packing is
# run, and a synthesis of the CDK example. Neither an account nor Docker is needed.
# Installs into build/ only.
set -eu
cd "$(dirname "$0")/.."

tools=$PWD/build/deploy-tools
mkdir -p "$tools"
CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o "$tools/bootstrap" ./cmd/bootstrap
CGO_ENABLED=0 go build -trimpath -o "$tools/beamport" ./cmd/beamport
(cd deploy/check && go vet . && go run . .. "$tools")

if ! command -v npm >/dev/null 2>&1; then
    echo "deploy/cdk was not checked: there is no npm" >&2
    exit 1
fi
work=build/deploy-check
rm -rf "$work"
mkdir -p "$work/archives"
cp deploy/cdk/*.ts deploy/cdk/*.json "$work"
# CDK names archives by what is in them; for a synthesis any do.
echo layer >"$work/archives/layer.zip"
echo function >"$work/archives/function.zip"
(
    cd "$work"
    npm ci --no-audit --no-fund --loglevel error >npm.log 2>&1 || { cat npm.log >&2; exit 1; }
    ARCHIVES=archives npm run --silent synth
    resources=$(grep -c '"Type": "AWS::' build/cdk.out/HelloElixir.template.json)
    echo "deploy/cdk is synthesized by CDK, to a stack of $resources resources"
)
