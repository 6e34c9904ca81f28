#!/usr/bin/env bash
# Takes the demo down and leaves nothing behind: a thin wrapper over `gatehouse down`.
set -euo pipefail
exec "$(dirname "${BASH_SOURCE[0]}")/bin/gatehouse" down "$@"
