# `make demo` and `make test` set everything up themselves: virtual environment, packages, and a C++
# compiler from a wheel where the machine has none.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
JOBS   ?= 2
PROGRAMGRAD ?= ../ProgramGrad

# The ziglang wheel stands in where no C++ compiler is found.
HAVE_CXX := $(shell command -v $${CXX:-c++} || command -v g++ || command -v clang++)
comma    := ,
EXTRAS   := dev$(if $(HAVE_CXX),,$(comma)zig)

# Folders that are packages of tritgrad, as in setup.py.
FOLDERS  := boards firmware host hw model sim units

.DEFAULT_GOAL := help
.PHONY: help setup demo test quick one lint proofs mutants sources fences bench docs bitstreams bitstream-trains clean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

setup: $(VENV)/.ready  ## make the virtual environment and install tritgrad with its tools

$(VENV)/.ready: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[$(EXTRAS)]'
	@touch $@

demo: setup  ## train 64-64-10 on the compiled RTL with scikit-learn's digits; make a picture
	$(BIN)/tritgrad train --dataset digits --hidden 64 --epochs 40 --device sim

test: setup  ## lint, then all tests
	$(MAKE) --no-print-directory lint
	$(BIN)/python -W error -m pytest -n $(JOBS) --dist worksteal

quick: setup  ## lint, and the tests nearest to what changed since main: a minute or two
	$(MAKE) --no-print-directory lint
	$(BIN)/python -W error -m pytest -q -x $$($(BIN)/python tests/nearest.py)

one: setup  ## one file or folder of tests: make one T=tests/hw/datapath/test_array.py
	$(BIN)/python -W error -m pytest $(T)

lint: setup  ## ruff and mypy
	$(BIN)/ruff check .
	@rm -rf build/types && mkdir -p build/types && cp -rs $(CURDIR)/tritgrad build/types/ && \
	    ln -s $(addprefix $(CURDIR)/,$(FOLDERS)) build/types/tritgrad/
	MYPYPATH=build/types $(BIN)/python -m mypy --cache-dir build/mypy -p tritgrad -p tests

proofs: setup  ## properties of the units, and the planted faults that they must find; a table
	$(BIN)/python -m tests.hw.formal --jobs $(JOBS)

mutants: setup  ## 32 mutants of RTL and host, and those that their nearest tests do not notice; S=SEED
	$(BIN)/python bench/mutants.py $(if $(S),--seed $(S))

sources: setup  ## the suite of a system that tritgrad follows, where it is at hand
	@if [ -d "$(PROGRAMGRAD)" ]; then $(BIN)/python -m tritgrad.sources.programgrad "$(PROGRAMGRAD)"; \
	    else echo "no checkout of sanowl/ProgramGrad at $(PROGRAMGRAD): give PROGRAMGRAD=FOLDER"; fi

fences: setup  ## measure the cores of tests/hw/fences.json anew: hash, LUT4, cycles
	$(BIN)/python bench/fences.py

bench: setup  ## the figures of the README; takes a while and wants TRITGRAD_DATA
	$(BIN)/python -m bench

docs: setup  ## the site, in build/docs; without a network
	$(BIN)/python -m sphinx -b html -W --keep-going -q docs build/docs

bitstreams: setup  ## every board with 3 seeds; the worst reports go to boards/reports
	$(BIN)/python -m tritgrad.boards

bitstream-trains: setup  ## bitstreams unpacked: they train and are attacked; wants icestorm
	$(BIN)/python bench/bitstream_trains.py
	$(BIN)/python bench/netlist_plays.py

clean:  ## remove what was built here; the compiled cores in the user's cache stay
	rm -rf build dist *.egg-info .pytest_cache .ruff_cache .mypy_cache
