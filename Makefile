# Order Control Room. `make run` and `make test` are all a newcomer needs: Python 3.11 or newer, and make.
SHELL := /bin/bash
PYTHON ?= $(shell for name in python3.13 python3.12 python3.11 python3.14 python3; do command -v $$name >/dev/null 2>&1 && $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$name; exit; }; done)
HOME_DIR ?=
PORT ?=
WORKERS ?= 2
BIN := .venv/bin
ENVIRONMENT := $(if $(HOME_DIR),CONTROL_ROOM_HOME="$(HOME_DIR)") $(if $(PORT),CONTROL_ROOM_PORT="$(PORT)")
# Bytecode on all cores at once: pip compiles on one.
COMPILE = $(BIN)/python -m compileall -q -j 0 .venv/lib >/dev/null || true
STAMP := .venv/.runtime-$(shell cat requirements.txt 2>/dev/null | cksum | tr ' ' '-')
DEV_STAMP := .venv/.tools-$(shell cat requirements.txt requirements-dev.txt 2>/dev/null | cksum | tr ' ' '-')

.PHONY: run install test lint bench soak browser tools audit pins
.DEFAULT_GOAL := run

run: install
	@exec env $(ENVIRONMENT) $(BIN)/python cli.py run

install: $(STAMP)
	@:

tools: $(DEV_STAMP)
	@:

$(STAMP):
	@if [ ! -x $(BIN)/python ]; then \
	  if [ -z "$(PYTHON)" ]; then echo "Python 3.11 or newer was not found: install it (Debian: apt install python3 python3-venv) or say PYTHON=/path/to/python3 ($$(python3 --version 2>/dev/null || echo no python3 here))" >&2; exit 1; fi; \
	  $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is $$($(PYTHON) --version 2>&1): Python 3.11 or newer is needed" >&2; exit 1; }; \
	  echo "Creating .venv with $$($(PYTHON) --version)"; \
	  $(PYTHON) -m venv .venv || { echo "Python's venv module is missing: install it (Debian: apt install python3-venv)" >&2; rm -rf .venv; exit 1; }; \
	fi
	@echo "Installing requirements.txt"
	@$(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check --require-hashes -r requirements.txt
	@$(COMPILE)
	@rm -f .venv/.runtime-*; touch $@

$(DEV_STAMP): $(STAMP)
	@echo "Installing requirements-dev.txt"
	@$(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@$(COMPILE)
	@rm -f .venv/.tools-*; touch $@

# Chromium and a Chinese font for the browser tests; says what to install where it may not do so itself.
browser:
	@.ci/browser

test: export PYTHONDONTWRITEBYTECODE :=
test: tools browser
	@$(BIN)/python -m pytest -n $(WORKERS) --no-loadscope-reorder -m "not soak"

soak: tools browser
	@$(BIN)/python -m pytest -m soak
	@LAW_EXAMPLES=60 $(BIN)/python -m pytest tests/queries/test_laws.py tests/queries/test_recent.py tests/queries/test_listing.py tests/data/test_merge.py tests/data/test_recent.py tests/access/test_order_twin.py tests/scope/test_every_figure.py tests/scope/test_running_pages.py tests/pages/test_drill.py

lint: tools
	@$(BIN)/mypy . & types=$$!; \
	$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/lint-imports --no-cache && $(BIN)/python -m pytest -q tests/test_structure.py; \
	house=$$?; wait $$types && exit $$house

# The pinned packages against the published advisories: 1 where one is named, 3 where a package could not be asked about.
audit:
	@.ci/audit

# The hashes of requirements*.txt anew, for the versions that stand in them (needs uv and the index).
pins:
	@command -v uv >/dev/null || { echo "uv is needed: pip install uv, into any environment on the PATH" >&2; exit 1; }
	@for file in requirements.txt requirements-dev.txt; do \
	  grep -E '^(#|-r )' $$file > $$file.head; grep -vE '^(#|-r | )' $$file | sed 's/ *\\\\$$//' > $$file.in; \
	  uv pip compile $$file.in --no-deps --universal --generate-hashes --no-header --no-annotate --python-version 3.11 --quiet -o $$file.pins || exit 1; \
	  cat $$file.head $$file.pins > $$file; rm -f $$file.head $$file.in $$file.pins; \
	done

# One JSON object on standard output; for example: make bench BENCH="--orders 1000000 --out bench.json". Ends with 1 where a budget is missed.
bench: tools
	@$(BIN)/python -m benchmarks $(BENCH)
