PYTHON ?= python3
BIN = .venv/bin

.PHONY: setup check format lint types test docs bench

setup:
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -q -e '.[dev]'

check: lint types test docs

format:
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint:
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types:
	$(BIN)/mypy

test:
	$(BIN)/python -m pytest -n auto

docs:
	$(BIN)/sphinx-build -q -W -E docs docs/_build
	$(BIN)/python scripts/check_site.py docs/_build

bench: .venv-bench/ready
	.venv-bench/bin/python benchmarks/everything.py

.venv-bench/ready: benchmarks/requirements.txt
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/pip install -q -r $< -e .
	touch $@
