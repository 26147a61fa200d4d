#!/usr/bin/env bash
# Lint the SQL of all migrations, printed without a database; rules are in .squawk.toml.
set -euo pipefail
cd "$(dirname "$0")/.."

sql=$(mktemp --suffix=.sql)
trap 'rm -f "$sql"' EXIT
.venv/bin/platformctl db migrate --sql >"$sql"
.venv/bin/squawk --config .squawk.toml "$sql"
