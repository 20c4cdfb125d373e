# Two commands do everything on a Linux machine with Python 3.11: `make demo` and `make test`.
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
# Two libraries that each spin on every core are slower together than one thread each.
export OMP_NUM_THREADS ?= 1

# Where the radiographs lie, and where a reproduction keeps its steps.
DATA ?= ../shared/data
RUNS ?= runs
FILMS := --images $(DATA)/chest-xray-paediatric

.PHONY: help demo test test-hapi check format system clean reproduce figures
help:
	@echo "make demo    create the environment and run the demo EHR   (DEMO_ARGS=--once to print the cards and end)"
	@echo "make test    create the environment and run every test"
	@echo "make test-hapi   run the tests that need a HAPI FHIR server   (HAPI_BASE_URL=… or HAPI_JAR=…)"
	@echo "make reproduce   train the shipped checkpoint anew and measure it   (DATA=…/shared/data, two hours)"
	@echo "make check   ruff, format, mypy --strict, import rules, spelling"

demo: $(VENV)/demo.stamp
	$(BIN)/mllm-cds demo $(DEMO_ARGS)

test: $(VENV)/test.stamp system
	PYTHON=$(PYTHON) tests/integration/make_triton_env.sh
	$(BIN)/python -m pytest $(TEST_ARGS)

# A server at HAPI_BASE_URL, or HAPI_JAR (default ../shared/hapi/hapi.jar, Java 17), or the public container; else skipped.
test-hapi: $(VENV)/test.stamp
	$(BIN)/python -m pytest -m hapi $(TEST_ARGS)

check: $(VENV)/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell

format: $(VENV)/test.stamp
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Trains the shipped recipe from start to end into $(RUNS)/checkpoint, and measures the result; the shipped files stay.
reproduce: $(VENV)/reproduce.stamp
	$(BIN)/mllm-cds train $(FILMS) --medqa $(DATA)/medqa/test.jsonl --adult $(DATA)/chest-xray-adult \
	  --work $(RUNS)/work --out $(RUNS)/checkpoint
	$(MAKE) figures CHECKPOINT=$(RUNS)/checkpoint FIGURES=$(RUNS)/figures CARD=$(RUNS)/model-card.md

# Measures a checkpoint by every command of the model card, and writes the card.
CHECKPOINT ?= inference/checkpoints/paediatric-pneumonia
FIGURES ?= docs/figures
CARD ?= docs/model-card.md
figures: $(VENV)/reproduce.stamp
	mkdir -p $(FIGURES)
	$(BIN)/mllm-cds evaluate $(FILMS) --checkpoint $(CHECKPOINT) --json > $(FIGURES)/evaluate.json
	$(BIN)/mllm-cds compare $(FILMS) --checkpoint $(CHECKPOINT) --work $(RUNS)/compared --json > $(FIGURES)/compare.json
	$(BIN)/mllm-cds ablate $(FILMS) --work $(RUNS)/work --epochs 2 --json > $(FIGURES)/loss-ablation.json
	$(BIN)/mllm-cds evaluate --task entities --checkpoint $(CHECKPOINT) --json > $(FIGURES)/entities.json
	$(BIN)/mllm-cds train --task medqa --medqa $(DATA)/medqa/test.jsonl --work $(RUNS)/medqa-work --out $(RUNS)/medqa
	$(BIN)/mllm-cds evaluate --task medqa --medqa $(DATA)/medqa/test.jsonl --checkpoint $(RUNS)/medqa --json \
	  > $(FIGURES)/medqa.json
	$(BIN)/mllm-cds robustness $(FILMS) --checkpoint $(CHECKPOINT) --adult $(DATA)/chest-xray-adult \
	  --severity $(DATA)/chest-xray-severity --films 120 --plot $(FIGURES)/robustness.svg --json > $(FIGURES)/robustness.json
	$(BIN)/mllm-cds fusion-check --images $(DATA)/chest-xray-severity --checkpoint $(CHECKPOINT) --json \
	  > $(FIGURES)/fusion-check.json
	$(BIN)/mllm-cds explain-check $(FILMS) --checkpoint $(CHECKPOINT) --json > $(FIGURES)/explain-check.json
	$(BIN)/mllm-cds model-card --checkpoint $(CHECKPOINT) --figures $(FIGURES) --out $(CARD)

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

$(VENV)/reproduce.stamp: pyproject.toml constraints.txt $(VENV)/created.stamp
	$(PIP) -e '.[reproduce]'
	touch $@

clean:
	rm -rf $(VENV) .venv-triton build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
