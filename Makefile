# Every way to work with this repository. `make help` prints the targets; CI calls the same ones.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# What `make run` takes. MODEL: default or small. PORT: of the web page; 8080 when it is free, else any. DATA: where
# everything is kept; .data when .env names no other.
MODEL ?=
PORT ?=
DATA ?=
PYTHON ?= python3.11
# Arguments for pytest: `make test-unit ARGS="-k outbox"`.
ARGS ?=
# For chart-values: your values files, later ones win.
VALUES ?=
# For test-faults: how often each part is killed, and the seed of an earlier run.
FAULT_KILLS ?= 4
FAULT_SEED ?=
# For cluster-test: full, or ci, which leaves out what takes longest and says so.
CLUSTER_SIZE ?= full

BIN := .venv/bin
PY := $(BIN)/python
PACKAGES := $(sort $(wildcard libs/*/pyproject.toml) $(wildcard services/*/pyproject.toml))
SOURCES := libs/kit $(wildcard services/*/src services/*/bench conftest.py) tests scripts migrations deploy/docker

.PHONY: help
help: ## Print this page
	@awk 'BEGIN { FS = ":.*## " } \
	  /^## / { printf "\n%s\n", substr($$0, 4) } \
	  /^[a-z-]+:.*## / { printf "  make %-20s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

## Use it

.PHONY: run
run: ## Install what is missing, start the platform, print its address (MODEL=small PORT=8080 DATA=.data)
	@scripts/install.sh --run "$(PYTHON)"
	@exec $(BIN)/platformctl up $(if $(DATA),--data "$(DATA)") $(if $(MODEL),--model "$(MODEL)") $(if $(PORT),--port "$(PORT)")

.PHONY: clean
clean: ## Remove what was built and, after asking, the data (CONFIRM=yes does not ask)
	@DATA="$(DATA)" CONFIRM="$(CONFIRM)" scripts/clean.sh

## Work on it

.PHONY: install
install: ## Install the locked packages and ours into .venv; costs nothing when nothing changed
	@scripts/install.sh "$(PYTHON)"

.PHONY: format
format: install ## Lay out the code and fix what can be fixed by a tool
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .
	@$(BIN)/buf format --write protos

.PHONY: protos
protos: install ## Generate libs/contracts from protos/, byte for byte the same each time
	@$(PY) scripts/protos.py

.PHONY: docs
docs: install ## Write the reference pages of settings, metrics and ports from the code
	@$(PY) scripts/reference.py

.PHONY: lock
lock: install ## Renew requirements.lock and models.lock: every version and hash, at least a week old, no URL
	@scripts/lock.sh

## Test it

.PHONY: test
test: install ## Run every test: units, integration, end to end
	@$(BIN)/pytest $(ARGS)

.PHONY: test-unit
test-unit: install ## Run the tests that take milliseconds and need no other process
	@$(BIN)/pytest $(wildcard libs/*/tests/unit services/*/tests/unit tests/structure) $(ARGS)

.PHONY: test-faults
test-faults: install ## Kill every part while people are being answered (FAULT_KILLS=4 times each, FAULT_SEED=)
	@FAULT_KILLS="$(FAULT_KILLS)" FAULT_SEED="$(FAULT_SEED)" $(BIN)/pytest tests/faults $(ARGS)

.PHONY: bench
bench: install ## Measure the real model beside its engine; leaves build/bench.json
	@$(PY) scripts/bench.py $(ARGS)

.PHONY: promises
promises: ## After `make test`: one line for each promise of docs/guarantees.md; fails when one was not shown
	@$(PY) scripts/guarantees.py $(ARGS)

## Images

.PHONY: images
images: ## Build the platform's images (SERVICES="gateway web" TAG= PUSH=registry MODEL=small PINNED=yes)
	@SERVICES="$(SERVICES)" TAG="$(TAG)" PUSH="$(PUSH)" MODEL="$(MODEL)" PINNED="$(PINNED)" scripts/images.sh

.PHONY: test-images
test-images: install ## Build the images and run every one of them; needs a container engine
	@PINNED="$(PINNED)" $(BIN)/pytest tests/images $(ARGS)

.PHONY: pin
pin: ## Look up the digests of the base images (images.lock) and of the chart's (values-pinned.yaml); needs a network
	@scripts/pin.sh

## A cluster

# What is skipped without one: the chart's manifests at the API server, and the commands of platformctl that act on it.
ON_A_CLUSTER := tests/cluster tests/manifests/test_accepted.py $(if $(filter ci,$(CLUSTER_SIZE)),, \
  $(wildcard services/platformctl/tests/integration/test_cluster_*.py))

.PHONY: cluster-up
cluster-up: ## Start a Kubernetes, or find one: KUBECONFIG, else ../shared/cluster, else kind
	@scripts/cluster.sh up
	@scripts/cluster.sh env

.PHONY: cluster-test
cluster-test: install ## Run the chart for real on it: install, upgrade, faults, policies, the pages (CLUSTER_SIZE=full ARGS= KEEP=1)
	@CLUSTER_SIZE="$(CLUSTER_SIZE)" scripts/cluster.sh run $(BIN)/pytest --random-order-bucket=none $(ON_A_CLUSTER) $(ARGS)

## Chart

.PHONY: chart-schema
chart-schema: install ## Write the chart's values.schema.json from values.yaml and its comments
	@$(PY) scripts/chart_schema.py

.PHONY: chart-values
chart-values: ## Say every problem of your values at once (VALUES="values-laptop.yaml mine.yaml")
	@scripts/chart.sh values $(VALUES)

## Check it

CHECKS := check-format check-lint check-types check-imports check-dependencies check-dead check-structure \
  check-protos check-breaking check-contracts check-locks check-docs check-shell check-docker check-workflows check-sql \
  check-chart

.PHONY: check $(CHECKS)
check: install ## Run every check below; all of them run, even when one fails
	@scripts/checks.sh $(CHECKS)

check-format: ## Layout of the code (ruff format)
	@$(BIN)/ruff format --check .

check-lint: ## Mistakes and complexity (ruff)
	@$(BIN)/ruff check .

check-types: ## Types (mypy, strict)
	@$(BIN)/mypy $(SOURCES)
	@failed=0; for tests in $(wildcard services/*/tests); do $(BIN)/mypy "$$tests" || failed=1; done; exit $$failed

check-imports: ## Who may import whom (import-linter)
	@$(BIN)/lint-imports --no-logo

check-dependencies: ## Each package names exactly what it imports (deptry)
	@$(PY) scripts/dependencies.py

check-dead: ## Code that nothing uses (vulture)
	@$(PY) scripts/dead_code.py

check-structure: ## File and function lengths, registries, domain imports, links (tests/structure)
	@$(BIN)/pytest -q tests/structure

check-protos: ## Style of the contracts (buf lint, buf format)
	@$(BIN)/buf lint
	@$(BIN)/buf format --diff --exit-code protos

check-breaking: ## Contracts stay compatible with the branch main, or the commit before (buf breaking)
	@scripts/breaking.sh

check-contracts: ## Generated contracts are what protos/ gives
	@$(PY) scripts/protos.py --check

check-locks: ## The locks hold what the packages ask for, without a URL
	@$(PY) scripts/locks.py

check-docs: ## Generated reference pages are current
	@$(PY) scripts/reference.py --check

check-shell: ## Shell scripts (shellcheck)
	@$(BIN)/shellcheck scripts/*.sh deploy/docker/*.sh deploy/docker/web/*.sh .ci/run

check-docker: ## Image recipes (hadolint)
	@scripts/docker.sh

check-workflows: ## GitHub workflows (check-jsonschema, zizmor, actionlint where it is installed)
	@scripts/workflows.sh

check-sql: ## Migrations lock no table for long (squawk on `platformctl db migrate --sql`)
	@scripts/sql.sh

check-chart: ## The chart's schema is current, every preset passes helm lint (where helm is)
	@scripts/chart.sh lint
