#!/usr/bin/env bash
# Check the GitHub workflows: their schema, their safety, and with actionlint where it is installed.
set -euo pipefail
cd "$(dirname "$0")/.."

.venv/bin/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
.venv/bin/zizmor --offline --quiet --no-progress .github/workflows
if command -v actionlint >/dev/null; then
  actionlint .github/workflows/*.yml
else
  echo "actionlint is not installed: its part was left out"
fi
