# Tancang: the commands a newcomer needs. Each one sets up by itself; only Python >= 3.11 and make are assumed.
PYTHON ?= python3
WORKERS ?= 2
BIN := .venv/bin

.PHONY: run province test test-all setup lock lint shell ui bench bundle clean

run: setup  ## one night on the example district
	@$(BIN)/tancang nightly --landing examples/district/clean/landing --profile examples/district/profile.yml

province: setup  ## one night on an invented province of 51,754 institutions
	@$(BIN)/python -m examples.province .tancang-province/landing
	@$(BIN)/tancang nightly --home .tancang-province --landing .tancang-province/landing --profile examples/province/profile.yml

test: setup lint  ## the tests CI runs
	@$(BIN)/python -m pytest -n $(WORKERS) --no-loadscope-reorder -m "not slow"

test-all: setup lint  ## the same with the long sweeps and every supported Python
	@$(BIN)/python -m pytest -n $(WORKERS) --no-loadscope-reorder

lint: setup
	@$(BIN)/ruff check --quiet . && $(BIN)/mypy --no-error-summary && $(BIN)/lint-imports --no-cache > /dev/null || \
		{ $(BIN)/lint-imports --no-cache; exit 1; }

setup:
	@$(PYTHON) orchestration/bootstrap.py

lock:  ## renew the lock file (hashes, no addresses)
	@$(BIN)/uv pip compile --universal --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate \
		--python-version 3.11 --group dev pyproject.toml --output-file requirements.lock --quiet

ui: setup
	@$(BIN)/tancang ui

bench: setup
	@$(BIN)/python -m benchmarks

bundle: setup  ## one archive, checkout and wheels for this platform: `make run` works from it without a network
	@rm -rf dist && mkdir -p dist/tancang
	@git archive HEAD | tar -x -C dist/tancang
	@$(BIN)/python -m pip download --quiet --disable-pip-version-check --require-hashes --no-deps --only-binary :all: \
		-r requirements.lock -d dist/tancang/wheels
	@tar -cf dist/tancang-bundle.tar -C dist tancang && rm -rf dist/tancang
	@echo "dist/tancang-bundle.tar"

shell: setup
	@bash --rcfile $(BIN)/activate -i

clean:  ## forget the environment; homes with their archives and releases stay
	@rm -rf .venv dbt_project/target
