# Everything sets itself up: a virtual environment with the locked versions, made once per change of the lock.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: help install demo test test-real fuzz check mutants bench docs test-containers lock clean
help: ## show this
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 18

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Ringback needs Python 3.11 or newer; this is $$($(PYTHON) -V). Try: make PYTHON=python3.12 install"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $(STAMP)

install: $(STAMP) ## virtual environment .venv with the locked versions

demo: $(STAMP) ## everything on this machine: simulated contact centre, live KPIs, verify (about 90 s)
	$(BIN)/ringback demo

test: $(STAMP) ## every test, on a real Kafka and a real ClickHouse engine started by the tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -m "not stack and not containers and not real" -q -n 2
	$(BIN)/pytest -m "stack or containers" -q -n 3 --dist loadfile

# With nothing here and no network all of it is skipped; -rs says why. The second run finds everything in the cache.
test-real: $(STAMP) ## unmodified clients of BI tools and a real Chromium, from their registries (ten minutes at most)
	$(BIN)/python -m tests.real.machine
	RINGBACK_REAL_BUDGET_S=200 $(BIN)/pytest tests/real -m real -q -rs

# N inputs of each kind: damaged lines of every source, Kafka records, SQL against the guard, HTTP requests without and
# with a password. ONLY=records, lines, attacks or requests chooses (pytest -k); the same SEED gives the same inputs.
N ?= 20000
SEED ?= 1
ONLY ?= test
fuzz: $(STAMP) ## so many random inputs: make fuzz N=100000 SEED=7 (N=20000 takes some 12 minutes)
	RINGBACK_FUZZ=$(N) RINGBACK_FUZZ_SEED=$(SEED) $(BIN)/pytest tests -m fuzz -q -k '$(ONLY)'

# Fewer simulated worlds and examples than `make test`, and nothing that is marked slow.
check: $(STAMP) ## lint, types and unit tests, under a minute
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	RINGBACK_SEEDS=15 RINGBACK_EXAMPLES=50 $(BIN)/pytest -m "not stack and not containers and not slow and not real" -q -n 2

# An environment of its own, without the lock: mutmut 3.8 needs click 8.4, Faust wants one before it, and
# mutmut 3.7 does not run on pytest 9. Some only: make mutants MUTANTS='kpis.fold.survey.*'.
.venv-mutants/.installed: Makefile
	test -x .venv-mutants/bin/python || $(PYTHON) -m venv .venv-mutants
	.venv-mutants/bin/python -m pip install --quiet 'mutmut>=3.8.1,<4' 'pytest>=9,<10' 'pytest-asyncio<2' \
	  'pytest-timeout<3' 'hypothesis<7' 'pydantic<3' 'fastavro<2' 'orjson<4'
	touch $@

mutants: .venv-mutants/.installed ## change kpis/ in 3,000 places; which does no golden table notice? (half an hour)
	.venv-mutants/bin/mutmut run --max-children 2 $(MUTANTS)
	.venv-mutants/bin/mutmut results | awk '/survived|timeout|suspicious/'

bench: $(STAMP) ## figures of docs/operating/sizing.md, as a table
	$(BIN)/python -m bench

docs: $(STAMP) ## pages that are made from code: docs/reference, and the README's table of sources
	$(BIN)/python -m docs.build

test-containers: $(STAMP) ## the integration suite on containers of Apache Kafka and ClickHouse (needs Docker)
	RINGBACK_TEST_CONTAINERS=1 $(BIN)/pytest tests/integration -m containers

# Three files of one resolution: everything, what the image runs, and what its package is built with.
COMPILE := uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --quiet

lock: ## renew requirements*.lock from pyproject.toml (needs uv)
	$(COMPILE) --extra dev pyproject.toml -o requirements.lock
	$(COMPILE) --extra disk --constraint requirements.lock pyproject.toml -o requirements.run.lock
	echo 'setuptools>=77' | $(COMPILE) --constraint requirements.lock - -o requirements.build.lock

clean: ## remove the virtual environment and caches
	rm -rf $(VENV) .venv-mutants mutants .mypy_cache .ruff_cache .pytest_cache .hypothesis build *.egg-info
