# Everything happens in .venv; the README's two commands are 'make demo' and 'make test'.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: install demo test lint
install: .venv/installed

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

# DATA: a folder of UCSD Ped2, to run on that instead of the built-in street.
demo: install
	$(BIN)/latentwatch demo $(if $(DATA),--data $(DATA))

# Two processes, files kept whole since their tests share trained models; one thread each on two cores.
test: install
	OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses 2 --dist loadfile

lint: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
