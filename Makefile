# Two commands do everything on a Linux machine with Python 3.11: `make demo` and `make test`.
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
# Two libraries that each spin on every core are slower together than one thread each.
export OMP_NUM_THREADS ?= 1

.PHONY: help demo test check format system clean
help:
	@echo "make demo    create the environment and run the demo EHR   (DEMO_ARGS=--once to print the cards and end)"
	@echo "make test    create the environment and run every test"
	@echo "make check   ruff, format, mypy --strict, import rules, spelling"

demo: $(VENV)/demo.stamp
	$(BIN)/mllm-cds demo $(DEMO_ARGS)

test: $(VENV)/test.stamp system
	PYTHON=$(PYTHON) tests/integration/make_triton_env.sh
	$(BIN)/python -m pytest $(TEST_ARGS)

check: $(VENV)/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell

format: $(VENV)/test.stamp
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Chromium, PostgreSQL and Orthanc for the tests; where they cannot be had, their tests say so and are skipped.
system:
	tests/install_system_packages.sh

$(VENV)/created.stamp:
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/demo.stamp: pyproject.toml constraints.txt $(VENV)/created.stamp
	$(PIP) -e '.[demo]'
	touch $@

$(VENV)/test.stamp: pyproject.toml constraints.txt $(VENV)/created.stamp
	$(PIP) -e '.[train,test,check]'
	touch $@ $(VENV)/demo.stamp

clean:
	rm -rf $(VENV) .venv-triton build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
