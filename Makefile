# make demo | test | lint | bench | chaos      PYTHON=python3.12 chooses the interpreter, VENV=folder the environment.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
CLIENTS := $(VENV)/clients

.PHONY: help demo test lint bench chaos fuzz clean
help:
	@echo "make demo    run the examples against the sandbox and show what arrived"
	@echo "make test    install what the tests need and run them all"
	@echo "make lint    ruff, mypy --strict, the import contract"
	@echo "make bench   the cost of a log call and of delivery, beside peers (FULL=1 ONLY=call,drain CONTESTANTS=robotmia)"
	@echo "make chaos   kill, fork and starve processes that spool, then count (ROUNDS=1000 SEED=1)"
	@echo "make fuzz    send the sandbox whatever may break it (MINUTES=3)"

demo: $(VENV)/.test
	$(BIN)/python examples/demo.py

test: $(VENV)/.test $(CLIENTS)/python $(CLIENTS)/node
	$(BIN)/python -m pytest $(ARGS)

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.bench
	$(BIN)/python -m benchmarks.bench

ROUNDS ?= 1000
SEED ?= 1
chaos: $(VENV)/.test
	$(BIN)/python -m tests.chaos --rounds $(ROUNDS) --seed $(SEED)

MINUTES ?= 3
fuzz: $(VENV)/.test
	$(BIN)/python -m tests.sandbox.fuzz --minutes $(MINUTES)

# Clients by others, which the sandbox is tried with: beside the environment, for nothing here imports them.
$(CLIENTS)/python: | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --target $@ mixpanel==4.1.0

$(CLIENTS)/node:
	@npm install --silent --no-audit --no-fund --prefix $@ mixpanel@0.10.3 || { \
	  rm -rf $@; echo "npm is missing or fails: the tests with a client for Node.js are skipped"; }

# One environment; a stamp for each set of extras, made again when pyproject.toml changes.
$(VENV)/.%: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[$*]'
	@touch $@

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null 2>&1 || { \
	  echo "robotmia_logging needs Python 3.10 or newer, and '$(PYTHON)' isn't there. Install it, or name one: make $(MAKECMDGOALS) PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { \
	  echo "robotmia_logging needs Python 3.10 or newer; '$(PYTHON)' is $$($(PYTHON) -V 2>&1). Name a newer one: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo "'$(PYTHON) -m venv' doesn't work here: its venv or ensurepip module is missing. On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache
