# SPDX-License-Identifier: Apache-2.0
# Hysteron. `make` lists what can be made; each target sets itself up from nothing.

PYTHON ?= python3
SHELL := bash
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
SIM := $(VENV)/ready-sim
JOBS ?= 2
# Of make soc-sim.
IMAGES ?= 1000
# Placements that make fpga tries; CHECK=1 compares with the baseline.
SEEDS ?= 1
# The chip of make gds and make layout; PRESET is its older name.
CHIP ?= $(PRESET)
# Of make gds: UNTIL=gates stops before the layout, CHECK=1 compares with the baseline, DOCKERIZED=1 takes the container.

.DEFAULT_GOAL := help
.PHONY: help setup named-chip sim soc-sim fpga netlist gds gds-setup layout test-gds test test-skipped test-exhaustive test-wheel bench lint format lock \
	train-setup test-train test-interop networks results docs wheel clean uninstall

PIP := $(BIN)/pip --disable-pip-version-check
#: Installs a lock file and this project: $(call install,LOCK,WHAT FOR).
define install
	@echo "setting up $(VENV) for $(2) (locked packages from the package index; once)"
	@$(PIP) install --quiet --require-hashes -r $(1)
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@echo "$(VENV): $$(du -sh $(VENV) | cut -f1)"
	@touch $@
endef

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | \
		awk -F'\t' '{ printf "  make %-15s %s\n", $$1, $$2 }'

setup: $(READY) ## install the locked tools into .venv: what make test and make lint need
	@echo "the command is $(BIN)/hysteron; 'source $(BIN)/activate' puts it on PATH"

$(VENV)/made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "error: Python 3.11 or newer is needed, $(PYTHON) is older; set PYTHON=…" >&2; exit 2; }
	@for tool in g++ make perl; do command -v $$tool >/dev/null || \
		{ echo "error: $$tool is not installed; on Debian run 'apt install g++ make perl'" >&2; exit 2; }; done
	@$(PYTHON) -m venv $(VENV) || \
		{ echo "error: $(PYTHON) cannot make a virtual environment; on Debian run 'apt install python3-venv'" >&2; exit 2; }
	@touch $@

# What make sim needs is a part of what make setup installs.
$(SIM): $(VENV)/made requirements-sim.lock pyproject.toml
	$(call install,requirements-sim.lock,make sim)
	@$(BIN)/python -m find_libpython >/dev/null && test -n "$$($(BIN)/python -m find_libpython)" || { rm -f $@; \
		echo "error: Python's shared library is missing, cocotb needs it; on Debian run 'apt install libpython$$($(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')'" >&2; exit 2; }

$(READY): $(SIM) requirements.lock pyproject.toml
	$(call install,requirements.lock,the tests and all tools but PyTorch and the layout)

sim: $(SIM) ## run the shipped digits network on the generated hardware, compare, write build/sim/report.html
	$(BIN)/hysteron sim digits --data digits
	@echo "the command is $(BIN)/hysteron; 'source $(BIN)/activate' puts it on PATH; 'make setup' brings what it may need besides"

test: $(READY) ## run the tests; the last lines say what was skipped and how to have it
	$(BIN)/pytest -n $(JOBS) --dist worksteal --write-skipped build/tests/skipped.txt

test-skipped: $(READY) ## run the tests that the last make test skipped, now that HYSTERON_DATA or PDK_ROOT is set
	$(BIN)/pytest -n $(JOBS) --dist worksteal @build/tests/skipped.txt

test-exhaustive: $(READY) ## run the slow exhaustive cases that make test leaves out
	$(BIN)/pytest -n $(JOBS) --dist worksteal -m exhaustive

wheel: $(READY) ## build the wheel, dist/hyn-….whl
	$(BIN)/python -m build --wheel --no-isolation --outdir dist .

test-wheel: wheel ## install the wheel into an empty environment outside the checkout and use it
	tests/wheel/run dist/hyn-*.whl

docs: $(VENV)/ready-docs ## build the site with the API reference and the executed tutorial: build/docs/index.html
	$(BIN)/sphinx-build -W --keep-going -q -b html docs build/docs
	@echo "site: build/docs/index.html"

$(VENV)/ready-docs: $(READY) requirements-docs.lock
	$(call install,requirements-docs.lock,the documentation)

soc-sim: $(READY) ## stream MNIST images through the simulated machine, compare, write build/soc-sim/report.json
	$(BIN)/hysteron soc-sim mnist --data mnist --images $(IMAGES)

fpga: $(READY) ## make the bitstream of BOARD (ulx3s, icebreaker, …), write build/fpga/BOARD/report.html
	@test -n "$(BOARD)" || { echo "error: BOARD is not set; run 'make fpga BOARD=icebreaker'" >&2; exit 2; }
	$(BIN)/hysteron fpga $(BOARD) --seeds $(SEEDS) $(if $(CHECK),--check)

netlist: $(READY) ## stream images through the synthesised netlist of BOARD, compare, write build/fpga/BOARD/netlist.json
	@test -n "$(BOARD)" || { echo "error: BOARD is not set; run 'make netlist BOARD=icebreaker'" >&2; exit 2; }
	$(BIN)/hysteron netlist $(BOARD)

gds-setup: $(VENV)/ready-gds ## add LibreLane, its synthesis and the standard cells' models

$(VENV)/ready-gds: $(READY) requirements-gds.lock openlane/requirements.lock
	$(call install,requirements-gds.lock,silicon)
	@$(PIP) install --quiet --require-hashes --no-deps -r openlane/requirements.lock

# Before hundreds of megabytes are installed for it.
named-chip:
	@test -n "$(CHIP)" || { echo "error: CHIP is not set; run 'make gds CHIP=sky130-small' or 'make layout CHIP=sky130-small'" >&2; exit 2; }

gds: named-chip $(VENV)/ready-gds ## take CHIP (sky130-small, sky130) to a layout, write build/gds/CHIP/report.html
	$(BIN)/hysteron gds $(CHIP) $(if $(UNTIL),--until $(UNTIL)) $(if $(CHECK),--check) $(if $(DOCKERIZED),--dockerized)

layout: named-chip $(VENV)/ready-gds ## check the layout of CHIP that comes with the project, with its timing and energy
	$(BIN)/hysteron layout $(CHIP) --images 20

test-gds: $(VENV)/ready-gds ## run the tests of silicon with its tools, and the core's on memories of OpenRAM macros
	$(BIN)/pytest -n $(JOBS) --dist worksteal tests/openlane tests/cli/test_gds.py
	HYSTERON_MEMORIES=openram-always $(BIN)/pytest -n $(JOBS) --dist worksteal tests/sim

bench: $(READY) ## print the performance table, write build/bench/bench.json
	$(BIN)/hysteron bench

lint: $(READY) ## check style, types and generated files
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/hysteron registers --check docs/registers.md
	$(BIN)/hysteron parameters --check docs/parameters.md
	$(BIN)/hysteron figures --check docs/images
	$(BIN)/hysteron results --check

format: $(READY) ## format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Every extra but PyTorch's; the other lock files hold what is in several of them to the same version.
LOCKED := sim machine fpga silicon data convert
COMPILE = $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --no-annotate --python-version 3.11
LOCK = $(COMPILE) pyproject.toml
PINNED = -c <(sed 's/ *\\$$//; /^ *--hash/d' $(1))

lock: $(READY) ## renew the lock files from pyproject.toml
	$(LOCK) $(LOCKED:%=--extra %) --extra gds --group dev -o requirements-gds.lock
	$(LOCK) $(LOCKED:%=--extra %) --group dev $(call PINNED,requirements-gds.lock) -o requirements.lock
	$(LOCK) --extra sim --group install $(call PINNED,requirements.lock) -o requirements-sim.lock
	$(LOCK) $(LOCKED:%=--extra %) --group docs $(call PINNED,requirements.lock) -o requirements-docs.lock
	$(COMPILE) --no-deps --group pyproject.toml:interop -o tests/interop/requirements.lock

train-setup: $(VENV)/ready-train ## add PyTorch and snnTorch

$(VENV)/ready-train: $(READY)
	@echo "adding PyTorch and snnTorch to $(VENV) (about 0.8 GB)"
	@$(PIP) install --quiet --constraint <(sed 's/ *\\$$//; /^ *--hash/d' requirements.lock) \
		torch==2.13.0 snntorch==1.0.0 nirtorch==2.6
	@touch $@

test-train: $(VENV)/ready-train ## run the tests of training and import with PyTorch
	$(BIN)/pytest -n $(JOBS) --dist worksteal tests/train tests/convert tests/docs

$(VENV)/ready-interop: $(VENV)/ready-train tests/interop/requirements.lock
	@echo "adding Norse, Sinabs, SpikingJelly, Rockpool, Brevitas and jaxsnn to $(VENV) (about 0.5 GB)"
	@$(PIP) install --quiet --require-hashes --no-deps -r tests/interop/requirements.lock
	@touch $@

test-interop: $(VENV)/ready-interop ## import networks of the field's frameworks, compare every spike with theirs
	$(BIN)/pytest -n $(JOBS) --dist worksteal tests/interop

networks: $(VENV)/ready-train ## train every shipped network again, with its float twin (hours)
	for network in networks/hysteron_networks/*.hyn; do name=$$(basename $$network .hyn); \
		$(BIN)/hysteron train $$name --twin --out $$network || exit; done

results: $(READY) ## measure every shipped network, update its figures and docs/networks.md
	$(BIN)/hysteron results

clean: ## remove generated files, not .venv
	rm -rf build dist

uninstall: clean ## remove everything that make made, .venv too; data sets stay in $HYSTERON_DATA or ~/.cache/hysteron
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
