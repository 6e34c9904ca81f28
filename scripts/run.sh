#!/usr/bin/env bash
# Runs a TypeScript file of the project with the project's own Node, installing the dependencies first when they are
# missing or out of date. The machine's Node only has to be able to run npm (Node 20 or newer).
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
source "$root/scripts/ensure-installed.sh"
exec "$node" --disable-warning=ExperimentalWarning "$@"
