# Parkwatt: what a reader, a contributor and CI run. A machine with Python 3.11 or newer and make is enough.
#   make install   the program alone: .venv/bin/parkwatt
#   make demo      installs, lives two days in a generated home in about three minutes, says where the report lies
#   make study     studies a year of such a home: what the car would have been worth
#   make check test docs bench   install the developer's tools on first use

PYTHON ?= python3
BIN := .venv/bin
# Modules are compiled when they are first used: all of them at once would take 70 MB.
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --no-compile --constraint constraints.txt
CORE := .venv/core.stamp
DEV := .venv/dev.stamp

.PHONY: help install dev demo study test check bench docs format constraints clean
.DELETE_ON_ERROR:

help:
	@sed -n 's/^#   //p' Makefile

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { echo "Parkwatt needs Python 3.11 or newer, and '$(PYTHON)' is not found."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Parkwatt needs Python 3.11 or newer; $(PYTHON) is %d.%d. Try: make PYTHON=python3.12 install" % sys.version_info[:2])'
	@$(PYTHON) -m venv .venv || { rm -rf .venv; echo "'$(PYTHON) -m venv' failed: install your system's python3-venv package."; exit 1; }

$(CORE): pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) --editable .
	@touch $@

$(DEV): pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) --editable '.[dev]'
	@touch $@ $(CORE)

install: $(CORE)
	@echo "Installed: $(BIN)/parkwatt"

dev: $(DEV)

demo: $(CORE)
	$(BIN)/parkwatt demo

study: $(CORE)
	$(BIN)/parkwatt demo --study --folder parkwatt-study

test: $(DEV)
	$(BIN)/python -m pytest --numprocesses=auto --dist=loadgroup

check: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(DEV)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(DEV)
	$(BIN)/python -m benchmarks

# The variables silence advertisements; mkdocs stays below 2 (pyproject.toml).
docs: $(DEV)
	NO_MKDOCS_2_WARNING=1 DISABLE_MKDOCS_2_WARNING=true $(BIN)/mkdocs build --strict --quiet

# Takes the newest versions that work together, in a fresh environment, and writes them down.
constraints:
	@rm -rf build/constraints && $(PYTHON) -m venv build/constraints
	build/constraints/bin/python -m pip --disable-pip-version-check install --quiet '.[dev]'
	@{ sed -n '/^#/p' constraints.txt; build/constraints/bin/python -m pip freeze --exclude parkwatt; } > build/constraints.txt
	@mv build/constraints.txt constraints.txt && rm -rf build/constraints

clean:
	rm -rf .venv build dist public .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
