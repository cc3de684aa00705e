# Harken: `make` alone lists the targets.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= $(shell command -v python3.11 || command -v python3)
# The system's certificates: a company's own authority is among them.
export UV_SYSTEM_CERTS ?= true
UV := $(shell command -v uv || echo .uv/bin/uv)
RUN := $(UV) run --frozen --no-sync
LIBRARY := protos/harken rules/harken_rules models/harken_models server/harken_server clients/python/harken_client
# The oldest compiler whose code every supported protobuf and grpcio runs.
PROTOC := $(UV) run --no-project --isolated --python 3.11 --with grpcio-tools==1.49.1 --with googleapis-common-protos==1.60.0 --with 'setuptools<70'

.PHONY: help
help:  ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

.PHONY: setup
setup: .venv/.ready  ## install everything into .venv (brings uv along if there is none)

.uv/bin/uv:
	$(PYTHON) -m venv .uv
	.uv/bin/pip install --quiet --disable-pip-version-check uv

.venv/.ready: uv.lock pyproject.toml $(filter .uv/bin/uv,$(UV))
	$(UV) sync --frozen --all-packages --all-extras --compile-bytecode
	@touch $@

.PHONY: demo
demo: setup  ## train on simulated history, serve, replay a month over gRPC
	$(RUN) python bench/demo.py

.PHONY: serve
serve: setup  ## serve the shipped rule base and model on 127.0.0.1:50051
	$(RUN) harken serve

.PHONY: test
test: setup  ## run all tests, on every core
	$(RUN) pytest -n auto --dist loadfile

.PHONY: check
check: setup lint types  ## lint, types, contracts, API, generated code, rule base
	$(RUN) lint-imports
	$(MAKE) --no-print-directory api
	$(RUN) harken rules check --fail-on warning
	$(RUN) harken rules test --min-coverage 100
	$(RUN) harken rules fmt --check

.PHONY: lint
lint: setup  ## ruff: style and format
	$(RUN) ruff check .
	$(RUN) ruff format --check .

.PHONY: types
types: setup  ## mypy, strict
	$(RUN) mypy $(LIBRARY)

.PHONY: protos
protos: setup build/googleapis  ## write the generated code beside each .proto
	$(PROTOC) python protos/generate.py

.PHONY: api
api: setup build/googleapis  # the API: lint, no breaking change, generated code unchanged
	$(RUN) buf lint protos
	$(RUN) buf breaking protos --against protos/released.binpb
	rm -rf build/protos && mkdir -p build/protos && cp -r protos/harken protos/generate.py build/protos/
	$(PROTOC) python build/protos/generate.py
	diff -r -x __pycache__ protos/harken build/protos/harken

build/googleapis: .venv/.ready
	mkdir -p $@/google/rpc
	cp .venv/lib/python3*/site-packages/google/rpc/{status,error_details}.proto $@/google/rpc/

.PHONY: golden
golden: setup  ## rewrite the golden files, to be reviewed like code
	HARKEN_GOLDEN=write $(RUN) pytest -m "not slow" tests

.PHONY: bench
bench: setup  ## measure; writes build/bench.json
	$(RUN) python bench/bench.py

.PHONY: fuzz
fuzz: setup  ## a million random evaluations, engine against boxes; writes build/fuzz.json
	$(RUN) python bench/fuzz.py

.PHONY: clean
clean:  ## remove everything that was built
	rm -rf .venv .uv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
