PYTHON ?= python3
BIN = .venv/bin

.PHONY: setup check format lint types test docs

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
