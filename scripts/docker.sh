#!/usr/bin/env bash
# Lint every image recipe.
set -euo pipefail
cd "$(dirname "$0")/.."

mapfile -t recipes < <(find deploy services '(' -name 'Dockerfile*' -o -name '*.Dockerfile' ')' -not -path '*/node_modules/*' 2>/dev/null)
if ((${#recipes[@]} == 0)); then
  echo "skipped: there is no image recipe yet"
  exit 0
fi
.venv/bin/hadolint "${recipes[@]}"
