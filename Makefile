# Everything happens in .venv; the README's two commands are 'make learn' and 'make test'.
PYTHON ?= python3
MODEL ?= camera.lw
BIN := .venv/bin

.PHONY: install learn test lint
install: .venv/installed

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

learn: install
	$(if $(FOOTAGE),,$(error give the footage: make learn FOOTAGE=recordings/))
	$(BIN)/latentwatch train $(FOOTAGE) -o $(MODEL)

test: install
	$(BIN)/pytest

lint: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
