#!/usr/bin/env bash
# Brings the whole demo up: a thin wrapper over `gatehouse up` (see `bin/gatehouse up --help` for the options).
set -euo pipefail
exec "$(dirname "${BASH_SOURCE[0]}")/bin/gatehouse" up "$@"
