# Everything sets itself up in .venv on a machine that has Python 3.11 or later and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
JOBS ?= 2

.PHONY: help setup demo test lint types check-examples parity mutate-bundle fuzz-tokens kill-writers bench coverage clean

help:
	@echo "make demo    replay real tool calls through the example policies, on both engines"
	@echo "make test    lint, types and all tests: what CI runs"
	@echo "make parity  compare the engines on a million generated policies and calls"
	@echo "make mutate-bundle  change every byte of a bundle to every other value"
	@echo "make fuzz-tokens  read 20,000 damaged tokens, beside the Biscuit library"
	@echo "make kill-writers  kill four writers of one log 200 times, and look for every call"
	@echo "make framework-suites  run the agent frameworks' own tests behind a gate that allows everything"
	@echo "make bench   measure, beside other engines where they install"

$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

setup: $(VENV)/installed

demo: setup
	$(BIN)/hexgate check examples/support/policies --tools examples/support/tools.json
	$(BIN)/hexgate compile examples/support/policies --tools examples/support/tools.json -o $(VENV)/demo.wasm
	$(BIN)/hexgate replay examples/support/policies examples/support/calls.jsonl
	$(BIN)/hexgate decide examples/refunds/policies --role billing --tool refund_order --args '{"order_id": "30", "amount": 900, "currency": "USD"}' || test $$? -eq 3

lint: setup
	$(BIN)/ruff check .

types: setup
	$(BIN)/mypy

test: setup lint types
	$(BIN)/python -m pytest -n $(JOBS) -q

coverage: setup
	$(BIN)/coverage run -m pytest -q
	$(BIN)/coverage report --skip-covered

parity: setup
	$(BIN)/python -m benchmarks.parity_campaign --cases 1000000

mutate-bundle: setup
	$(BIN)/python -m benchmarks.bundle_mutation

fuzz-tokens: setup
	HEXGATE_FUZZ_EXAMPLES=20000 $(BIN)/python -m pytest -q tests/identity/test_blocks.py

kill-writers: setup
	$(BIN)/python -m benchmarks.kill_campaign

framework-suites: setup
	$(BIN)/python -m benchmarks.framework_suites

bench: setup
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r benchmarks/requirements.txt
	$(BIN)/python -m benchmarks.run

clean:
	rm -rf $(VENV) build dist *.egg-info
