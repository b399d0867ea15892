# Every target sets up what it needs; `make demo` and `make test` work on a fresh clone.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Without bytecode every process recompiles Dagster at start-up, a third of its import time.
export UV_COMPILE_BYTECODE := 1
export UV_LINK_MODE := copy
unexport PYTHONDONTWRITEBYTECODE

.PHONY: install demo test test-ui test-api test-s3 lint dev bench bench-s3 quality golden chaos lock docs clean

install: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet "$$(grep -oE '^uv==[0-9.]+' requirements.lock)"
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --require-hashes -r requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	touch $(STAMP)

demo: install
	$(BIN)/screenalytics demo

# Watching lines takes as much CPU again, so only what shows what most lines do is watched; the
# rest runs as it is: what starts the product's own processes, and what waits or tries many cases.
# So what only the command line's processes reach does not count for screenalytics_assets.
MANY_CASES := $(wildcard tests/unit/*/test_*_properties.py tests/unit/*/test_*_agreement.py \
    tests/unit/api/test_schema.py tests/unit/api/test_hostile_ids.py \
    tests/unit/report/test_report_pages.py tests/unit/report/test_report_bench.py \
    tests/unit/test_benchmarks*.py) tests/unit/composed
UNWATCHED := tests/golden $(wildcard tests/integration/test_s[3c]*.py) $(MANY_CASES) \
    $(addprefix tests/integration/test_,liveness.py mirror.py readme.py sync.py)
PROCESSES := tests/architecture $(wildcard tests/integration/test_[a-d]*.py)
WATCHED := tests/unit $(addprefix --ignore=,$(MANY_CASES)) \
    $(filter-out $(UNWATCHED) $(PROCESSES),$(wildcard tests/integration/test_*.py))

WATCH = COVERAGE_FILE=.coverage.$(1) $(BIN)/python -m pytest --cov --cov-report= --cov-fail-under=0

# Three at once, since much of it waits.
test: install
	rm -f .coverage .coverage.*
	( $(BIN)/python -m pytest $(UNWATCHED) && $(call WATCH,contract) tests/contract ) & first=$$!; \
	$(BIN)/python -m pytest $(PROCESSES) & second=$$!; \
	$(call WATCH,rest) $(WATCHED); third=$$?; \
	wait $$first; first=$$?; wait $$second; second=$$?; test "$$first $$second $$third" = "0 0 0"
	# What a killed child left behind may be half a file; the others' are in already.
	$(BIN)/coverage combine --quiet .coverage.contract .coverage.rest
	rm -f .coverage.*
	$(BIN)/coverage report
	$(BIN)/coverage report --include='screenalytics_core/*' --format=total
	$(BIN)/coverage report --include='screenalytics_assets/*' --format=total --fail-under=80

test-ui: install
	$(BIN)/uv pip install --quiet --python $(BIN)/python playwright
	$(BIN)/python -m pytest -q -m ui tests/integration --ui

# Requests that nobody has seen yet, made up from the service's own document; minutes.
test-api: install
	$(BIN)/python -m pytest -q tests/unit/api/test_schema.py --schema-examples 200

# Debian's packages (as root) and a server of its own on loopback, for what asks for it.
define WITH_CEPH
	sh tests/rgw/ceph.sh install
	folder=$$(mktemp -d) && sh tests/rgw/ceph.sh start $$folder && . $$folder/s3.env \
	    && export S3_TEST_ENDPOINT S3_TEST_ACCESS_KEY S3_TEST_SECRET_KEY \
	    && $(1); \
	status=$$?; sh tests/rgw/ceph.sh stop $$folder; exit $$status
endef

test-s3: install
	$(call WITH_CEPH,$(BIN)/python -m pytest -q -m s3_rgw tests)

bench-s3: install
	$(call WITH_CEPH,$(BIN)/python -m benchmarks.on_s3)

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

dev: install
	$(BIN)/screenalytics dev

bench: install
	$(BIN)/python -m benchmarks.bench

quality: install
	$(BIN)/python -m benchmarks.quality

# The expected summaries of the composed episodes, after a change that is meant.
golden: install
	$(BIN)/python -m benchmarks.composed.golden --write

chaos: install
	$(BIN)/python -m pytest -q tests/integration/test_chaos.py --chaos-rounds 100

lock:
	$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 \
	    --generate-hashes --no-emit-index-url --no-header --no-annotate -o requirements.lock

docs: install
	$(BIN)/python -m screenalytics_core.data_contract > docs/data-contract.md

clean:
	rm -rf $(VENV) build *.egg-info
