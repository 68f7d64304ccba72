# `make demo` installs and runs the main job; `make test` installs what the tests need and runs them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PIP_CONSTRAINT := $(CURDIR)/constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: install demo test check bench clean

install: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --editable '.[resco,cluster,ntcip,dev]'
	touch $@

demo: $(VENV)/.installed
	rm -rf runs/demo
	$(BIN)/greensplit compare cologne8 --controllers fixed,lookahead --seeds 0-1 --jobs 2 --out runs/demo --html runs/demo.html
	@echo
	@echo "Open runs/demo.html: the deployed plan of Cologne beside the adaptive controller."

test: $(VENV)/.installed
	$(BIN)/python -m pytest -n 2 --dist loadfile

check: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.installed
	$(BIN)/python -m pytest -m slow
	$(BIN)/python -m benchmarks.loop --json
	$(BIN)/python -m benchmarks.safety --json
	$(BIN)/python -m benchmarks.engine --json

clean:
	rm -rf $(VENV) runs dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
