#!/usr/bin/env bash
# Remove what was built, and the data after asking. CONFIRM=yes removes the data without asking.
set -euo pipefail
cd "$(dirname "$0")/.."

data=${DATA:-.data}
rm -rf build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .install.lock
find libs services scripts tests migrations -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
echo "Removed caches and build/."
[[ -d $data ]] || exit 0
# `platformctl up` takes only a folder of its own and marks it; nothing else is ever removed.
[[ -f $data/format ]] || { echo "$data holds no data of this platform: it is kept." >&2; exit 1; }

if [[ -f $data/run.json && -x .venv/bin/platformctl ]] && .venv/bin/platformctl status --data "$data" >/dev/null 2>&1; then
  echo "The platform of $data is running: stop it first (Ctrl-C, or .venv/bin/platformctl down --data $data)." >&2
  exit 1
fi
if [[ ${CONFIRM:-} != yes ]]; then
  [[ -t 0 ]] || { echo "$data is kept: nobody to ask. CONFIRM=yes removes it." >&2; exit 1; }
  read -r -p "Remove $data, with every conversation in it? Type yes: " answer
  [[ $answer == yes ]] || { echo "$data is kept."; exit 0; }
fi
rm -rf -- "$data"
echo "Removed $data."
