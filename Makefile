# Foolbreeder: `make run` sets everything up and serves the site; `make help` lists the rest.

# The first Python that really runs; a version manager may leave names on PATH that do not.
ifndef PYTHON
PYTHON := $(shell for name in python3.13 python3.12 python3.11 python3; do \
	$$name -c '' 2>/dev/null && echo $$name && break; done)
endif
BOOTSTRAP = @command -v "$(PYTHON)" >/dev/null || { \
	echo "Foolbreeder needs Python 3.11 or newer and finds none$(if $(PYTHON), at $(PYTHON))." \
	"Install it, or name one: make $@ PYTHON=/path/to/python3" >&2; exit 1; }; \
	exec "$(PYTHON)" -m bootstrap

.PHONY: help setup run test check bench clean

help:  ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-6s %s\n", $$1, $$2 }' Makefile

setup: ## make the virtual environment and install what the site needs
	$(BOOTSTRAP) setup

run:   ## set up, then serve the site at http://127.0.0.1:8000 (PORT=, FOOLING_HOME=)
	$(BOOTSTRAP) run

test:  ## set up, then run every test, browser tests included
	$(BOOTSTRAP) test

check: ## set up, then check format, lint, types, migrations and import arrows
	$(BOOTSTRAP) check

bench: ## set up, then measure the speeds that the project promises
	$(BOOTSTRAP) bench

clean: ## remove what set-up installed (the site's own state in var/ stays)
	rm -rf .venv node_modules
