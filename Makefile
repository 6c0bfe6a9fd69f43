# Everything happens in .venv; the two commands of the README are 'make demo' and 'make test'.
PYTHON ?= python3
DATA ?=
BIN := .venv/bin

.PHONY: install demo test lint
install: .venv/installed

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

demo: install
	$(BIN)/latentwatch demo $(if $(DATA),--data $(DATA))

test: install
	$(BIN)/pytest

lint: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
