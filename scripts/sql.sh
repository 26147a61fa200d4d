#!/usr/bin/env bash
# Lint the SQL of all migrations, printed without a database.
set -euo pipefail
cd "$(dirname "$0")/.."

sql=$(mktemp --suffix=.sql)
trap 'rm -f "$sql"' EXIT
.venv/bin/platformctl db migrate --sql >"$sql"
.venv/bin/squawk --pg-version 18.0 "$sql"
