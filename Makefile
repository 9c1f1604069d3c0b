# make demo    train four classifiers, record them, open the ACTIVIS tab     DATA=DIR  SERVE=0  PORT=6006
# make test    everything, browser included     TESTS=tests/unit
# make test-fast    what needs neither a browser nor a framework, in under two minutes
# make screenshots    the stored screenshots of the tab, made anew
# make check   lint and types, Python and TypeScript
# make bench   the measurements behind the budgets
# make recording    the first twenty seconds of the tab, docs/first_seconds.webp, made anew
# make docs    the documentation as a site, into site/
# make build   wheel and source distribution
SHELL := /bin/bash
.DELETE_ON_ERROR:
.PHONY: demo test test-fast screenshots recording check bench docs build clean frontend browser

PYTHON ?= $(shell for candidate in python3 python3.13 python3.12 python3.11; do \
	"$$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && echo $$candidate && break; done)
PORT ?= 6006
SERVE ?= 1
DATA ?=
# DATA holds the files of TREC and of UCI Adult, or folders trec and adult; or it is the one, and the other beside it.
find = $(patsubst %/$1,%,$(firstword $(wildcard $(foreach folder,. $2 ../$2,$(DATA)/$(folder)/$1))))
TREC := $(if $(DATA),$(or $(call find,train_5500.label,trec),$(DATA)))
ADULT := $(if $(DATA),$(call find,adult_complete.csv,adult))
LOGDIR ?= demo-runs
TESTS ?= tests
# A file is tested in one process, the longest ones first (tests/conftest.py). There is one process more
# than cores, because those tests wait half of their time; at most four.
WORKERS = $(shell cores=$$(getconf _NPROCESSORS_ONLN); echo $$((cores < 4 ? cores + 1 : 4)))
PYTEST = $(BIN)/python -m pytest --numprocesses=$(WORKERS) --dist=loadfile --no-loadscope-reorder --durations=30

BIN := .venv/bin
DOCS := NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
SOURCES := pyproject.toml setup.py proto/activis.proto
FRONTEND := $(shell find frontend -type f -not -path '*/node_modules/*' -not -name activis.ts -not -name language.ts 2>/dev/null)

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "No Python 3.11, 3.12 or 3.13 found. Install one, or name it: make PYTHON=/path/to/python3.12 ..."; exit 1; }
	@$(PYTHON) -m venv .venv || { rm -rf .venv; echo "$(PYTHON) cannot make a virtual environment; on Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	@$(BIN)/python -m pip install --quiet --upgrade pip

# One stamp a set of extras; the editable install also builds the proto module and the front end.
.venv/installed-%: $(BIN)/python $(SOURCES)
	@echo "Installing activis-tb[$*] into .venv (the first time takes a few minutes)"
	@$(BIN)/python -m pip install --editable '.[$*]' >.venv/install.log 2>&1 || { tail -n 40 .venv/install.log; exit 1; }
	@touch activis_tb/static/app.js $@

activis_tb/static/app.js: $(FRONTEND) proto/activis.proto activis_tb/conditions/language.lark | $(BIN)/python
	@echo "Building the front end"
	@$(BIN)/python -m pip install --editable . --no-deps >.venv/install.log 2>&1 || { tail -n 40 .venv/install.log; exit 1; }
	@touch $@

frontend: activis_tb/static/app.js

demo: .venv/installed-demo activis_tb/static/app.js
	@$(BIN)/python demo/questions.py --logdir $(LOGDIR) $(if $(TREC),--data $(TREC))
	@$(BIN)/python demo/digits.py --logdir $(LOGDIR)
	@$(BIN)/python demo/income.py --logdir $(LOGDIR) $(if $(ADULT),--data $(ADULT))
ifeq ($(SERVE),1)
	@echo
	@echo "  Open  http://localhost:$(PORT)/#activis   (Ctrl-C stops TensorBoard)"
	@echo
	@$(BIN)/tensorboard --logdir $(LOGDIR) --port $(PORT)
else
	@echo "Recorded. To look at it: make demo   or   $(BIN)/tensorboard --logdir $(LOGDIR)"
endif

browser:
	@.ci/install-chromium

test: .venv/installed-test,check activis_tb/static/app.js browser
	$(PYTEST) $(TESTS)
	@.ci/npm test

test-fast: .venv/installed-test,check activis_tb/static/app.js
	$(PYTEST) --quiet -m "not browser and not framework and not slow" tests/unit tests/plugin

screenshots: .venv/installed-test,check activis_tb/static/app.js browser
	ACTIVIS_RENEW_SCREENSHOTS=1 $(BIN)/python -m pytest tests/end_to_end/test_screenshots.py

recording: .venv/installed-test,check activis_tb/static/app.js browser
	$(BIN)/python -m docs.drawings.first_seconds --logdir $(LOGDIR)

check: .venv/installed-test,check activis_tb/static/app.js
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	@.ci/npm run check
	$(DOCS) --site-dir .venv/site

bench: .venv/installed-test,check activis_tb/static/app.js browser
	@set -e; for benchmark in benchmarks/[a-z]*.py; do echo "== $$benchmark"; $(BIN)/python $$benchmark; done

docs: .venv/installed-docs
	$(DOCS)
	@echo "Open site/index.html"

build: .venv/installed-test,check
	$(BIN)/python -m build

clean:
	rm -rf .venv build dist site *.egg-info demo-runs test-results frontend/node_modules activis_tb/static frontend/src/contract/{activis,language}.ts \
		activis_tb/storage/activis_pb2.py activis_tb/storage/activis_pb2.pyi
