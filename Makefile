# Everything runs in a virtual environment that make creates itself: .venv, or VENV=<folder>.
# PYTHON names the interpreter it is made from, ARGS goes on to the command: make test ARGS="tests/layers -x".

PYTHON ?= python3
VENV ?= .venv
ARGS ?=
# Test processes at a time. Each loads TensorFlow (about 1 GB); one thread each, so that they do not fight for cores.
WORKERS ?= 2

RUN = $(VENV)/bin/python
export PIP_DISABLE_PIP_VERSION_CHECK = 1
export TF_CPP_MIN_LOG_LEVEL ?= 3
ONE_THREAD = OMP_NUM_THREADS=1 TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=1

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo demo-answers models test test-backends lint format clean

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.installed-examples  ## Train a translator in five minutes and show what it can do
	$(RUN) -m examples.translation.demo $(ARGS)

demo-answers: $(VENV)/.installed-examples-selection  ## The same for answer selection
	$(RUN) -m examples.answer_selection.demo $(ARGS)

models: $(VENV)/.installed-examples-selection  ## Train the ready models of saved_models/ anew: ten minutes
	$(RUN) -m examples.translation.ready_model $(ARGS)
	$(RUN) -m examples.answer_selection.ready_model $(ARGS)

test: $(VENV)/.installed-test  ## Run all tests
	$(ONE_THREAD) MPLBACKEND=Agg $(RUN) -m pytest -n $(WORKERS) $(ARGS)

test-backends: $(VENV)/.installed-test-backends  ## The same numbers on TensorFlow, JAX and PyTorch; training by processes
	set -e; for backend in jax torch; do \
	  KERAS_BACKEND=$$backend $(ONE_THREAD) $(RUN) -m pytest tests/conformance/test_backends.py $(ARGS); done
	$(ONE_THREAD) $(RUN) -m pytest -m extended tests/training/test_processes.py

lint: $(VENV)/.installed-test  ## Check style and formatting
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .

format: $(VENV)/.installed-test  ## Put style and formatting right
	$(RUN) -m ruff check --fix .
	$(RUN) -m ruff format .

clean:  ## Remove the virtual environment and what tools leave behind
	if [ -f "$(VENV)/pyvenv.cfg" ]; then rm -rf "$(VENV)"; fi
	rm -rf build dist *.egg-info .pytest_cache .ruff_cache

# .installed-a-b: the package with its extras a and b. Made again only when pyproject.toml has changed.
$(VENV)/.installed-%: pyproject.toml | $(VENV)/bin/pip
	@echo "Installing into $(VENV): TensorFlow and the rest, about 3 GB on the disk."
	$(RUN) -m pip install --editable ".[$(subst -,$(comma),$*)]"
	@touch $@

comma := ,

$(VENV)/bin/pip:
	@command -v "$(PYTHON)" >/dev/null || { \
	  echo "There is no '$(PYTHON)'. Install Python 3.11, 3.12 or 3.13, or name one: make PYTHON=/path/to/python3.12"; \
	  exit 1; } >&2
	@"$(PYTHON)" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { \
	  echo "keras_attention needs Python 3.11, 3.12 or 3.13; '$(PYTHON)' is $$("$(PYTHON)" --version 2>&1 | head -n 1)."; \
	  for name in python3.13 python3.12 python3.11; do \
	    if "$$name" -c '' 2>/dev/null; then echo "You have $$name: make PYTHON=$$name $(MAKECMDGOALS)"; break; fi; \
	  done; exit 1; } >&2
	@"$(PYTHON)" -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo "'$(PYTHON)' cannot make virtual environments: its venv module is missing."; \
	  echo "On Debian and Ubuntu: sudo apt install python3-venv"; exit 1; } >&2
	@echo "Making the virtual environment $(VENV) with $$("$(PYTHON)" --version)."
	@"$(PYTHON)" -m venv "$(VENV)"
