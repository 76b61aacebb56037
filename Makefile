PYTHON ?= python3
BIN = .venv/bin

.PHONY: help setup check format lint types test docs bench

help:  ## Show these targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

setup:  ## Make .venv, with all that development needs
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -q -e '.[dev]'

check: lint types test docs  ## All that CI runs

format:  ## Format the code, and mend what lint can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint:  ## Check format and style
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types:  ## Check types
	$(BIN)/mypy

test:  ## Run the tests, on all cores
	$(BIN)/python -m pytest -n auto

docs: $(BIN)/sphinx-build  ## Build the site in docs/_build
	$(BIN)/sphinx-build -q -W -E docs docs/_build
	$(BIN)/python scripts/check_site.py docs/_build

bench: .venv-bench/ready  ## Run all benchmarks
	.venv-bench/bin/python benchmarks/everything.py

$(BIN)/sphinx-build:
	@echo "make docs needs Sphinx in .venv, which is not there: run 'make setup'" >&2
	@exit 1

.venv-bench/ready: benchmarks/requirements.txt
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/pip install -q -r $< -e .
	touch $@
