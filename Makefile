# `make` lists the targets. Everything is installed into .venv; nothing else is touched.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules --no-print-directory

PYTHON ?= $(shell for p in python3.11 python3; do $$p -c '' 2>/dev/null && echo $$p && break; done)
# More arguments for the command that a target runs: make test ARGS='-k passages -x'
ARGS ?=
# 1: compare what is installed with .ci/hashes.txt first, as CI does. That covers all but torch, whose
# builds (for processors, for each GPU) are found in different places and bring different libraries.
HASHES ?=

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
CODE := $(wildcard qabot tests benchmarks faults fuzz tools training)

# pip's progress is for people.
SET_QUIET = quiet=--quiet; [ ! -t 1 ] || quiet=
PIP_INSTALL = install --disable-pip-version-check $$quiet

# Expands to nothing, or stops with one line.
need_python = $(if $(shell $(PYTHON) -c 'import sys; print("ok" * (sys.version_info >= (3, 11)))' \
	2>/dev/null),,$(error qabot needs Python 3.11 or newer, and $(or $(PYTHON),python3) is \
	$(or $(shell $(PYTHON) --version 2>/dev/null),missing): name one with PYTHON=…))
need_venv = $(if $(shell $(PYTHON) -c 'import ensurepip, venv; print("ok")' 2>/dev/null),,$(error \
	$(PYTHON) has no venv module: install it (on Debian: python3-venv)))

# A question may hold quotes, $ and backticks. It reaches the command as an environment variable,
# which no shell reads, and $(value) keeps make itself from expanding it.
unexport Q
MAKEOVERRIDES :=
ifneq ($(filter ask,$(MAKECMDGOALS)),)
ifeq ($(strip $(value Q)),)
$(error There is no question: make ask Q='When was the telescope launched?')
endif
endif

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: install
install: $(STAMP) ## Install qabot and what its tests need into .venv

$(BIN)/pip:
	$(need_python)$(need_venv)
	@echo "Creating $(VENV) with $$($(PYTHON) --version) …"
	@$(PYTHON) -m venv $(VENV)

$(STAMP): pyproject.toml constraints.txt | $(BIN)/pip
	@echo "Installing qabot and its dependencies (a few minutes the first time) …"
	@$(SET_QUIET); [ -z "$(HASHES)" ] || \
	  $(BIN)/pip $(PIP_INSTALL) --require-hashes --no-deps -r .ci/hashes.txt
	@$(SET_QUIET); $(BIN)/pip $(PIP_INSTALL) -e '.[dev]' -c constraints.txt
	@touch $@

.PHONY: ask
ask: export ASK_QUESTION := $(value Q)
ask: $(STAMP) index/CURRENT ## Ask a question: make ask Q='…' (the first time, builds the index)
	@# Exit 1 says that no article answers, which qabot has told: for make, nothing went wrong.
	@$(BIN)/qabot ask -- "$$ASK_QUESTION" || { code=$$?; [ $$code -eq 1 ] || exit $$code; }

index/CURRENT: | $(STAMP)
	@echo "Building the index from seeds/ …"
	@$(BIN)/qabot rebuild

.PHONY: rebuild
rebuild: $(STAMP) ## Build the index anew; sources other than seeds/: ARGS='PATH…'
	@echo "Building the index …"
	@$(BIN)/qabot rebuild $(ARGS)

.PHONY: repl
repl: $(STAMP) index/CURRENT ## Ask many questions
	@$(BIN)/qabot repl $(ARGS)

.PHONY: test
test: $(STAMP) ## Run the tests; some of them: ARGS='-k NAME'
	@echo "Running the tests …"
	@$(BIN)/python -m pytest $(ARGS)

.PHONY: coverage
coverage: $(STAMP) ## Measure how much of qabot the tests run; line by line in htmlcov/
	@echo "Running the tests under coverage …"
	@rm -f .coverage .coverage.*
	@$(BIN)/coverage run -m pytest $(ARGS)
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage html --quiet
	@$(BIN)/coverage report

.PHONY: lint
lint: $(STAMP) ## Check style, types and module boundaries
	@echo "Checking style (ruff) …"
	@$(BIN)/ruff check $(CODE)
	@echo "Checking format (ruff) …"
	@$(BIN)/ruff format --check $(CODE)
	@echo "Checking types (mypy) …"
	@$(BIN)/mypy $(CODE)
	@echo "Checking module boundaries (import-linter) …"
	@$(BIN)/lint-imports --no-logo

.PHONY: format
format: $(STAMP) ## Format the code, and repair what can be repaired safely
	@$(BIN)/ruff check --fix --exit-zero --quiet $(CODE)
	@$(BIN)/ruff format $(CODE)

.PHONY: translations
translations: $(STAMP) ## Bring the catalogues up to date with the code, and compile them
	@template=$$(mktemp); trap 'rm -f "$$template"' EXIT; \
	$(BIN)/pybabel -q extract --no-default-keywords -k mark -k translate -k plural:1,2 \
	  -c Translators: --add-location=file --sort-output -w 100 --project qabot --version - \
	  -o "$$template" qabot/bot qabot/render; \
	for po in qabot/render/translations/*.po; do \
	  language=$$(basename $$po .po); \
	  $(BIN)/pybabel -q update -i "$$template" -o $$po -l $$language --no-fuzzy-matching \
	    --ignore-obsolete --ignore-pot-creation-date -w 100; \
	  $(BIN)/pybabel compile -i $$po -o $${po%.po}.mo -l $$language --statistics; \
	done

.PHONY: bench
bench: $(STAMP) ## Measure quality and speed; more: ARGS='--help'
	@echo "Running the benchmarks …"
	@$(BIN)/python -m benchmarks $(ARGS)

RUN ?= reader-run
.PHONY: reader
reader: $(STAMP) ## Train the reader (hours): make reader DATA=…; more in training/README.md
	$(if $(DATA),,$(error Name the folder of near-topic, reader and chat: make reader DATA=…))
	@for part in train dev; do [ -e $(RUN)/$$part/collection.pickle ] || \
	  $(BIN)/python -m training.collection $(DATA) --most 0 --near-topic $$part --out $(RUN)/$$part; done
	@echo "Training; goes on from $(RUN)/reader if there is a checkpoint …"
	@$(BIN)/python -m training.train $(DATA)/reader --collection $(RUN)/train --dev $(RUN)/dev \
	  --out $(RUN)/reader --start qabot/answering/reader/reader.onnx $(ARGS)
	@echo "Writing qabot/answering/reader/reader.onnx …"
	@$(BIN)/python -m training.export $(RUN)/reader/averaged.pt $(DATA)/reader \
	  qabot/answering/reader/reader.onnx
	@echo "Fitting qabot/answering/confidence.json …"
	@$(BIN)/python -m training.calibrate $(DATA) --work $(RUN)/calibrate

.PHONY: faults
faults: $(STAMP) ## Break all that can break, and write what came of it to docs/reliability.md
	@$(BIN)/python -m faults $(ARGS)

.PHONY: fuzz
fuzz: $(STAMP) ## Fuzz the parsers, a minute each; some of them: ARGS='markdown feed --seconds 300'
	@$(BIN)/python -c 'import atheris' 2>/dev/null || { \
	  echo "Installing the fuzzer …"; \
	  $(SET_QUIET); $(BIN)/pip $(PIP_INSTALL) -e '.[fuzz]' -c constraints.txt; }
	@$(BIN)/python -m fuzz $(ARGS)

# Servers of tests listen on all addresses, so they get a network with no others than loopback.
LOOPBACK := unshare --map-root-user --net bash -c 'ip link set lo up; exec "$$@"' -

.PHONY: milvus-server
milvus-server: $(STAMP)
	@$(BIN)/python -c 'import milvus' 2>/dev/null || { \
	  echo "Installing the server …"; \
	  $(SET_QUIET); $(BIN)/pip $(PIP_INSTALL) -e '.[milvus-server]' -c constraints.txt; }

.PHONY: test-milvus
test-milvus: milvus-server ## Test indexes on a real Milvus server, in a network of its own (Linux; minutes)
	@echo "Running the tests of indexes on Milvus …"
	@TEST_MILVUS=1 $(LOOPBACK) \
	  $(BIN)/python -m pytest tests/index/test_contracts.py tests/index/test_milvus.py $(ARGS)

.PHONY: bench-milvus
bench-milvus: milvus-server ## Compare an index on Milvus with one in a folder: ARGS='--help'
	@$(LOOPBACK) $(BIN)/python -m benchmarks.milvus $(ARGS)

.PHONY: test-ray
test-ray: $(STAMP) ## Test rebuilds on a Ray cluster, in a network of its own (Linux; minutes)
	@$(BIN)/python -c 'import ray' 2>/dev/null || { \
	  echo "Installing Ray …"; \
	  $(SET_QUIET); $(BIN)/pip $(PIP_INSTALL) -e '.[ray]' -c constraints.txt; }
	@echo "Running the tests of rebuilds on Ray …"
	@TEST_RAY=1 $(LOOPBACK) $(BIN)/python -m pytest tests/indexing/test_workers.py $(ARGS)

.PHONY: licences
licences: $(STAMP) ## List the licences of all that qabot needs at run time
	@$(BIN)/python -m tools.dependencies

.PHONY: sbom
sbom: $(STAMP) ## Write sbom.json: all that qabot needs at run time, in CycloneDX
	@$(BIN)/python -m tools.dependencies --sbom > sbom.json
	@echo "sbom.json is written."

.PHONY: audit
audit: ## Look the pinned versions up among known weaknesses (asks pypi.org; not part of CI)
	$(need_python)$(need_venv)
	@echo "Installing pip-audit into a temporary environment …"
	@$(SET_QUIET); tmp=$$(mktemp -d); trap 'rm -rf "$$tmp"' EXIT; \
	$(PYTHON) -m venv "$$tmp/venv"; \
	"$$tmp/venv/bin/pip" $(PIP_INSTALL) pip-audit; \
	"$$tmp/venv/bin/pip-audit" --strict --disable-pip --no-deps -r constraints.txt

.PHONY: constraints
constraints: ## Renew constraints.txt: the newest versions that pyproject.toml allows
	$(need_python)$(need_venv)
	@echo "Installing the newest versions into a temporary environment (some minutes) …"
	@$(SET_QUIET); tmp=$$(mktemp -d); trap 'rm -rf "$$tmp"' EXIT; \
	$(PYTHON) -m venv "$$tmp/venv"; \
	"$$tmp/venv/bin/pip" $(PIP_INSTALL) '.[dev]'; \
	{ grep '^#' constraints.txt; \
	  "$$tmp/venv/bin/pip" freeze --exclude qabot | sed -E 's/\+[a-z0-9.]+$$//' \
	  | { grep -Ev '^(cuda|nvidia|triton)' || true; }; } > "$$tmp/constraints.txt"; \
	cp "$$tmp/constraints.txt" constraints.txt
	@$(MAKE) hashes
	@echo "constraints.txt is renewed: run make lint test before you commit it."

.PHONY: hashes
hashes: ## Renew .ci/hashes.txt: the hashes of all files that constraints.txt may install
	$(need_python)$(need_venv)
	@$(SET_QUIET); tmp=$$(mktemp -d); trap 'rm -rf "$$tmp"' EXIT; \
	$(PYTHON) -m venv "$$tmp/venv"; \
	"$$tmp/venv/bin/pip" $(PIP_INSTALL) uv; \
	grep -Ev '^(#|torch==)' constraints.txt > "$$tmp/constraints.in"; \
	"$$tmp/venv/bin/uv" pip compile "$$tmp/constraints.in" --no-deps --generate-hashes --universal \
	  --python-version 3.11 --no-header --no-annotate --quiet --output-file "$$tmp/hashes.txt"; \
	{ echo "# Made by \`make hashes\` from constraints.txt: SHA-256 of each package's files, but for torch."; \
	  cat "$$tmp/hashes.txt"; } > .ci/hashes.txt

.PHONY: clean
clean: ## Remove caches and build output; keep .venv and index/
	@rm -rf build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	@rm -rf .coverage .coverage.* htmlcov
	@find $(CODE) -name __pycache__ -prune -exec rm -rf {} +
