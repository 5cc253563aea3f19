# Needs make and Python 3.11 or newer; every target sets up what it uses.
# `make` alone lists the targets. PYTHON=/path/to/python chooses the interpreter.

BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest
CODE := flowengine processors web
# What shares the cores of the machine, what has them alone (brokers, kills), and browsers.
PAGES := -n auto --dist loadfile tests/web/editor tests/packaging -m "not campaign"
ALONE := -m "(kafka or slow) and not campaign" $(foreach one,tests/web/editor tests/packaging,--ignore=$(one))
SHARED := -n auto --dist loadfile -m "not kafka and not slow and not campaign" $(foreach one,tests/web/editor tests/packaging,--ignore=$(one))
export PYTHON

.DEFAULT_GOAL := help
.PHONY: help setup demo dev test quick check bench campaign docs client fmt lock clean

help: ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

setup: ## create .venv with the locked dependencies (quick when it is up to date)
	@.ci/setup

demo: setup ## start Kafka, run the two pipelines of the chapter, prove what happened, stay open
	@$(BIN)/flowengine demo $(ARGS)

dev: setup ## the editor with hot reload in front of a server (ARGS="--flows DIR")
	@$(BIN)/python .ci/dev.py $(ARGS)

test: check ## everything that CI runs: checks and all tests but the campaign (under 30 minutes)
	@if [ -d web/editor/node_modules ]; then cd web/editor && PATH="$(CURDIR)/.venv/bin:$$PATH" npx vitest run; fi
	@# Real brokers, browsers and kills on a noisy machine: what failed gets one more try, and both are shown.
	$(PYTEST) $(SHARED) || $(PYTEST) $(SHARED) -n 0 --last-failed --last-failed-no-failures none
	$(PYTEST) $(ALONE) --durations=15 || $(PYTEST) $(ALONE) --last-failed --last-failed-no-failures none
	$(PYTEST) $(PAGES) || $(PYTEST) $(PAGES) -n 0 --last-failed --last-failed-no-failures none

quick: setup ## the fast tests (under a minute)
	$(PYTEST) -n auto -m "not kafka and not slow and not campaign" -q --hypothesis-profile=quick

check: setup ## format, lint, types, who may import whom, stale documentation
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy $(CODE)
	$(PYTEST) -q -m "not kafka and not slow" tests/test_architecture.py tests/test_project.py $(wildcard tests/docs)

bench: ## measure; table on screen, build/bench.json (ONLY=name for one)
	@.ci/setup bench
	$(BIN)/python -m tests.benchmarks $(ONLY)

campaign: setup ## the long runs: 50 kills per flow (N=1000 for more), summary at the end
	@mkdir -p build
	$(PYTEST) -m campaign -rA --durations=0 --junit-xml=build/campaign.xml $(if $(N),--kills=$(N))

docs: setup ## write the generated documentation anew
	$(BIN)/flowengine docs
	$(BIN)/python -m tests.docs.pictures

client: setup ## write the typed client of the REST API anew (web/client_api)
	$(BIN)/python .ci/client

fmt: setup ## format the code and mend what the linter can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: setup ## resolve the dependencies anew after an edit of pyproject.toml (ARGS=--upgrade)
	.ci/lock $(ARGS)

clean: ## remove what was built and cached (.venv stays: rm -rf .venv for that)
	rm -rf build dist .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +
