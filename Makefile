# What CI runs and what a user runs is the same: a .venv from requirements/*.txt, where every file is pinned by its hash.
# Stamps in .venv remember what was installed, so that an unchanged lock is not installed again.

.DEFAULT_GOAL := help
.PHONY: help run venv test types tests-one tests-two bench lock docs clean
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
EPISODE ?= deepseek-2025

# Python compiles what it imports when it does so; compiling all of it took 7 of the 41 s of a first `make run`.
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input --quiet install --no-compile
# Wheels only: a source archive would fetch tools to build it that no hash pins.
LOCKED := $(PIP) --require-hashes --only-binary :all: --requirement
# A lock keeps the extras that a package asks for ("coverage[toml]"): pip takes the pin of "coverage" for another thing, and
# stops as soon as there is a newer one. Only run.txt, which constrains dev.txt, may hold none.
# Left to itself pip-compile writes down which registry it asked and with what options.
COMPILE := $(BIN)/pip-compile --quiet --upgrade --generate-hashes --allow-unsafe \
	--no-header --annotation-style line \
	--no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-emit-options \
	--build-deps-for editable --extra plot --extra parquet --extra fast

help: ## Say what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-6s %s\n", $$1, $$2 }' Makefile

# Without other samples of the news: they need the compiled engine, whose first compilation takes 10 s of a newcomer's first minute.
run: $(VENV)/.run ## Replay an episode (EPISODE=deepseek-2025)
	@$(BIN)/backtest run $(EPISODE) --no-resample

test: $(VENV)/.dev ## Run what CI runs: lint, format, types, import contracts, spelling, tests
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/codespell
	@$(MAKE) --no-print-directory --jobs 2 --output-sync=target tests-one types tests-two

# Rooms of tests/backtests that stand in the second half.
SECOND := $(addprefix tests/backtests/,commands forward report)

# Two halves side by side for two cores, each a plain process; types and contracts come before the shorter one.
types:
	@$(BIN)/mypy
	@$(BIN)/lint-imports

tests-one:
	@$(BIN)/pytest tests/backtests $(SECOND:%=--ignore %)

tests-two:
	@$(BIN)/pytest $(SECOND) tests/feeds tests/strategies $(wildcard tests/test_*.py)

coverage: $(VENV)/.dev ## Run the tests in one process and say which lines none of them reaches (twice the time)
	@$(BIN)/pytest --cov

bench: $(VENV)/.run ## Measure as ratios within one run; fails where one fell by 30 % (AFTERSHOCK_BENCH=keep keeps new ones)
	@failed=0; for each in run parse scoring archive evidence book kernel; do \
		PYTHONPATH=. $(BIN)/python tests/bench/bench_$$each.py || failed=1; done; exit $$failed

venv: $(VENV)/.dev ## Build .venv with all that tests need

lock: $(VENV)/.dev ## Compile the locks anew with the newest versions (on Python 3.11, the oldest supported)
	@$(COMPILE) --strip-extras --output-file requirements/run.txt pyproject.toml
	@$(COMPILE) --no-strip-extras --extra dev --extra dask --constraint requirements/run.txt --output-file requirements/dev.txt pyproject.toml

docs: $(VENV)/.run ## Write the reference of commands anew from their help
	@$(BIN)/python -m backtests.cli_reference > docs/cli.md

clean: ## Remove .venv and all else that can be made again; runs/ stays
	@rm -rf $(VENV) build dist .coverage .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	@find feeds strategies backtests tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@bash .ci/venv $(VENV)

$(VENV)/.run: requirements/run.txt pyproject.toml | $(BIN)/python
	@$(LOCKED) requirements/run.txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.run
	@$(LOCKED) requirements/dev.txt
	@$(BIN)/python -W ignore -m compileall -q -j 2 $(VENV)/lib || true # here and not in a test, where a warning is an error
	@touch $@
