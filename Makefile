# make run    install what is needed and start JupyterLab, the dashboard and a worker
# make test   all tests but the long ones        make test-full   the long ones too
# make check  lint, types, layers, every route, docs   make bench       the benchmarks
# make audit  known weaknesses, ours and others'  make torture    killed processes, failing disks, changed bytes
SHELL := /bin/sh
PYTHON ?= $(shell for each in python3 python3.13 python3.12 python3.11; do \
	$$each -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && echo $$each && break; done)
VENV := .venv
BIN := $(VENV)/bin
SOURCES := $(shell find labextension dapp_panel/frontend -type f -not -path '*/node_modules/*' -not -path '*/lib/*' 2>/dev/null)
CONSTRAINTS = constraints/python$(shell $(BIN)/python -c 'import sys; print("%d.%d" % sys.version_info[:2])').txt
INSTALL = UV_COMPILE_BYTECODE=1 PYTHONDONTWRITEBYTECODE= $(BIN)/uv pip install --quiet --python $(BIN)/python
PYTEST = $(BIN)/python -m pytest -q
# The tests in browsers on one core, the others beside them (tests/conftest.py deals them out).
TWO = -n 2 --dist loadscope --no-loadscope-reorder
.PHONY: run test test-full check bench audit torture format clean browser

run: $(VENV)/installed
	@exec $(BIN)/jupyter-dapp start

test: $(VENV)/tools browser
	@$(PYTEST) $(TWO) -m "not long" || sh tests/second_look.sh $$? $(BIN)/python -m "not long"

test-full: $(VENV)/tools browser
	@$(PYTEST) $(TWO)

check: $(VENV)/tools
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check dapp_ext dapp_panel tests benchmarks docs hatch_build.py
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports >/dev/null || $(BIN)/lint-imports
	@$(PYTEST) tests/contracts/test_auth.py tests/contracts/test_envelope.py tests/contracts/test_schema_ts.py
	@$(BIN)/sphinx-build -W --keep-going -q -b html docs build-output/docs
	@if command -v npm >/dev/null 2>&1; then sh labextension/check.sh; else echo "npm is not here, so TypeScript is not linted."; fi

format: $(VENV)/tools
	@$(BIN)/ruff check --quiet --fix .
	@$(BIN)/ruff format --quiet dapp_ext dapp_panel tests benchmarks docs hatch_build.py

bench: $(VENV)/tools
	@for each in benchmarks/*.py; do echo "== $$each"; $(BIN)/python $$each; done

audit: $(VENV)/tools
	@sh .ci/audit.sh $(BIN)

# Prints its seeds; TORTURE_SEED repeats one, TORTURE_ROUNDS changes how often something is killed.
torture: $(VENV)/tools
	@$(PYTEST) -s tests/torture

# A Chromium that is there is used; where the system's package may be installed, it is; else the tests say that there is none.
browser:
	@sh tests/browser/install_chromium.sh

$(VENV)/bin/uv:
	@if [ -z "$(PYTHON)" ]; then echo "Python 3.11, 3.12 or 3.13 is needed and was not found."; exit 1; fi
	@echo "Making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv 2>/dev/null || $(BIN)/python -m pip install --disable-pip-version-check uv

$(VENV)/installed: pyproject.toml hatch_build.py $(wildcard constraints/*.txt) $(SOURCES) | $(VENV)/bin/uv
	@echo "Installing DAPP and what it needs"
	@$(INSTALL) --constraint $(CONSTRAINTS) --editable ".[notebooks]"
	@touch $@

$(VENV)/tools: $(VENV)/installed
	@$(INSTALL) --constraint $(CONSTRAINTS) --group test --group lint --group docs
	@touch $@

clean:
	rm -rf $(VENV) build dist dapp_ext/labextension dapp_panel/dist labextension/lib labextension/node_modules dapp_panel/frontend/node_modules
