#!/usr/bin/env bash
# Renew requirements.lock and models.lock: every version and hash for every platform, no URL, so that any mirror serves it.
# Takes nothing younger than a week: what is broken or malicious is usually found by then.
set -euo pipefail
cd "$(dirname "$0")/.."

week_old=${EXCLUDE_NEWER:-$(.venv/bin/python -c 'import datetime as d; print(d.datetime.now(d.UTC).date() - d.timedelta(days=7))')}
compile() {
  .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
    --no-annotate --no-header --exclude-newer "$week_old" "$@"
}
wanted=$(mktemp --suffix=.in)
trap 'rm -f "$wanted"' EXIT
.venv/bin/python scripts/requirements.py >"$wanted"
compile ${UPGRADE:+--upgrade} "$wanted" --output-file requirements.lock
compile --no-deps models.in --output-file models.lock
