# Two commands matter: `make report` and `make test`. Both set everything up first.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
# A process a core, each with a file of tests; more threads than cores only wait for each other.
PYTEST := OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --dist loadfile
DATA   ?= data
OUTPUT ?= output
STORES ?= 1000
PAIRS  ?= 1000
SIZES  ?= 1000,10000,100000,1000000

.PHONY: report test test-all check accept bench bench-scale bench-spark simulate simulate-verdicts simulate-drift setup system viewers cluster clean

report: setup          ## report on every month of the demo store and say where the documents are
	@$(BIN)/reportgen run --data $(DATA) --output $(OUTPUT) --all

test: viewers setup check      ## everything that ends within ten minutes
	$(PYTEST) -m "not slow"

test-all: viewers cluster check  ## the long tests too
	$(PYTEST)

accept: viewers setup  ## take the pages as they are drawn now for the accepted ones; look at them first
	$(BIN)/python -m pytest tests/pdf/test_pictures.py --accept

check: setup           ## style, types and the order of imports
	$(BIN)/ruff check reportgen tests
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup           ## seconds of every stage, cold, on DATA
	$(BIN)/python tests/benchmarks/bench_run.py --data $(DATA)
	$(BIN)/python tests/benchmarks/bench_run.py --data $(DATA) --effort quick

bench-scale: setup     ## seconds and peak memory by stage over growing stores, SIZES; takes some minutes
	$(BIN)/python tests/benchmarks/bench_scale.py --sizes $(SIZES)

bench-spark: cluster   ## the same by the embedded engine and on Spark with this machine's cores
	$(BIN)/python tests/benchmarks/bench_scale.py --sizes $(SIZES) --no-plain --effort quick \
	  --engine "" --engine "local[*]"

simulate: setup        ## hold the report's claims against made-up stores, an hour; goes on where it stopped
	PYTHONPATH=tests $(BIN)/python -m simulation.run --stores $(STORES)

simulate-verdicts: setup   ## hold the verdict on actions against pairs of months whose truth is known
	PYTHONPATH=tests $(BIN)/python -m simulation.loop --pairs $(PAIRS)

simulate-drift: setup      ## hold the alarms of drift against months that did not change, and that did
	PYTHONPATH=tests $(BIN)/python -m simulation.drift

setup: system $(READY)

# pip keeps to the constraints, so everyone has the versions that were tested together.
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  --constraint constraints.txt --editable '.[dev]'
	@touch $@

# WeasyPrint draws text with Pango, which pip cannot bring. Root on Debian gets it installed;
# everyone else is told what to type by `reportgen doctor`.
system:
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  missing=""; \
	  ldconfig -p | grep -q libpangoft2-1.0 || missing="$$missing libpango-1.0-0 libpangoft2-1.0-0"; \
	  ldconfig -p | grep -q libharfbuzz-subset || missing="$$missing libharfbuzz-subset0"; \
	  $(PYTHON) -c 'import ensurepip' 2>/dev/null || missing="$$missing python3-venv"; \
	  if [ -n "$$missing" ]; then apt-get update -qq && apt-get install -y -qq $$missing; fi; \
	fi

# The tests read and draw the PDF with poppler, work the page with Chromium, run the lines of the CI's
# workflows, which use rclone and jq, and start a PostgreSQL server; where one of them is missing and
# cannot be installed, they skip that and say so.
viewers:
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  missing=""; \
	  command -v pdftoppm >/dev/null || missing="$$missing poppler-utils"; \
	  command -v chromium >/dev/null || missing="$$missing chromium"; \
	  command -v rclone >/dev/null || missing="$$missing rclone"; \
	  command -v jq >/dev/null || missing="$$missing jq"; \
	  ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$$missing postgresql"; \
	  if [ -n "$$missing" ]; then apt-get update -qq && apt-get install -y -qq $$missing; fi; \
	fi

# Spark, and the Java that it runs on.
cluster: setup
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  --constraint constraints.txt --editable '.[dev,spark]'
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && ! command -v java >/dev/null; then \
	  apt-get update -qq && apt-get install -y -qq default-jre-headless; \
	fi

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
