#!/usr/bin/env bash
# Install the locked packages and our own into .venv. Costs nothing, and needs no network, when nothing changed.
# Usage: install.sh [--run] PYTHON.   --run also checks what running the platform needs, before anything is downloaded.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
  printf '%s\n' "$*" >&2
  exit 1
}

for_run=no
if [[ ${1:-} == --run ]]; then
  for_run=yes
  shift
fi
python=${1:-python3.11}

[[ -x .venv/bin/python ]] || "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
  fail "Python 3.11 is needed and '$python' is not there or is older. Install it (Debian, Ubuntu: apt-get install" \
    "python3.11 python3.11-venv; macOS: brew install python@3.11) or name yours: make $([[ $for_run == yes ]] && echo run ||
      echo install) PYTHON=/path/to/python3.11"

# llama.cpp loads GNU OpenMP on Linux; without it the model would fail only after a gigabyte was downloaded.
if [[ $for_run == yes && $(uname -s) == Linux && ${LLM_PROVIDER:-embedded} == embedded ]]; then
  probe=.venv/bin/python
  [[ -x $probe ]] || probe=$python
  "$probe" -c 'import ctypes; ctypes.CDLL("libgomp.so.1")' 2>/dev/null ||
    fail "The language model needs the system library libgomp.so.1, which is missing. Install it (Debian, Ubuntu:" \
      "apt-get install libgomp1; Fedora: dnf install libgomp) and start again."
fi

checksum() {
  cat "$@" | { sha256sum 2>/dev/null || shasum -a 256; } | cut -d' ' -f1
}

# Two stamps, so that a new entry point of ours does not look at 150 packages again.
locked=$(checksum requirements.lock)
own=$(checksum libs/*/pyproject.toml services/*/pyproject.toml)
[[ -x .venv/bin/python ]] || rm -rf .venv
[[ $(cat .venv/.installed-lock 2>/dev/null) == "$locked" && $(cat .venv/.installed-own 2>/dev/null) == "$own" ]] && exit 0

# Two `make` at once: the second waits for the first and then finds everything done.
exec 9>.install.lock
if command -v flock >/dev/null; then flock 9; fi

if [[ ! -x .venv/bin/python ]]; then
  "$python" -c 'import venv, ensurepip' 2>/dev/null ||
    fail "Python's venv module is missing. Install it (Debian, Ubuntu: apt-get install python3.11-venv) and try again."
  free=$(df -Pk . | awk 'NR == 2 { print $4 }')
  ((free > 3 * 1024 * 1024)) ||
    fail "Installing needs 3 GB of free disk space here; there are $((free / 1024)) MB. Free some and try again."
  echo "Creating .venv with $("$python" --version)"
  "$python" -m venv .venv
fi

if [[ $(cat .venv/.installed-lock 2>/dev/null) != "$locked" ]]; then
  wanted=$(sed -n 's/^uv==\([^ ]*\).*/\1/p' requirements.lock)
  if [[ $(.venv/bin/uv --version 2>/dev/null | cut -d' ' -f2) != "$wanted" ]]; then
    echo "Installing uv $wanted"
    awk '/^[^ #]/ { on = /^uv==/ } on' requirements.lock >.venv/uv.lock
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r .venv/uv.lock
  fi
  # A package index or a certificate that pip was told about holds for uv too.
  index=$(.venv/bin/python -m pip config get global.index-url 2>/dev/null || true)
  index=${PIP_INDEX_URL:-$index}
  if [[ -n $index && -z ${UV_DEFAULT_INDEX:-}${UV_INDEX_URL:-} ]]; then export UV_DEFAULT_INDEX=$index; fi
  if [[ -n ${PIP_CERT:-} && -z ${SSL_CERT_FILE:-} ]]; then export SSL_CERT_FILE=$PIP_CERT; fi
  echo "Installing $(grep -c '^[a-zA-Z0-9]' requirements.lock) packages into .venv (about 1.1 GB on disk; once)"
  .venv/bin/uv pip install --python .venv/bin/python --require-hashes --no-deps -r requirements.lock
  echo "$locked" >.venv/.installed-lock
fi

if [[ $(cat .venv/.installed-own 2>/dev/null) != "$own" ]]; then
  echo "Installing our own packages"
  editable=()
  for manifest in libs/*/pyproject.toml services/*/pyproject.toml; do editable+=(-e "$(dirname "$manifest")"); done
  .venv/bin/uv pip install --quiet --python .venv/bin/python --offline --no-deps --no-build-isolation "${editable[@]}"
  echo "$own" >.venv/.installed-own
fi
