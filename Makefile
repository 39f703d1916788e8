# Hysteron. `make` lists what can be made; each target sets itself up from nothing.

PYTHON ?= python3
SHELL := bash
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
JOBS ?= 2
# Of make soc-sim.
IMAGES ?= 1000
# Placements that make fpga tries; CHECK=1 compares with the baseline.
SEEDS ?= 1
# Of make gds: UNTIL=gates stops before the layout, CHECK=1 compares with the baseline, DOCKERIZED=1 takes the container.

.DEFAULT_GOAL := help
.PHONY: help setup sim soc-sim fpga netlist gds gds-setup layout test-gds test bench lint format lock train-setup test-train networks results clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | \
		awk -F'\t' '{ printf "  make %-11s %s\n", $$1, $$2 }'

setup: $(READY) ## install the locked tools into .venv

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "error: Python 3.11 or newer is needed, $(PYTHON) is older; set PYTHON=…" >&2; exit 2; }
	@for tool in g++ make perl; do command -v $$tool >/dev/null || \
		{ echo "error: $$tool is not installed; on Debian run 'apt install g++ make perl'" >&2; exit 2; }; done
	@$(PYTHON) -m venv $(VENV) || \
		{ echo "error: $(PYTHON) cannot make a virtual environment; on Debian run 'apt install python3-venv'" >&2; exit 2; }
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m find_libpython >/dev/null && test -n "$$($(BIN)/python -m find_libpython)" || \
		{ echo "error: Python's shared library is missing, cocotb needs it; on Debian run 'apt install libpython$$($(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')'" >&2; exit 2; }
	@touch $@

sim: $(READY) ## run the shipped digits network on the generated hardware, compare, write build/sim/report.html
	$(BIN)/hysteron sim digits --data digits

test: $(READY) ## run all tests
	$(BIN)/pytest -n $(JOBS) --dist worksteal

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
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-gds.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r openlane/requirements.lock
	@touch $@

gds: $(VENV)/ready-gds ## take PRESET (sky130-small, sky130) to a layout, write build/gds/PRESET/report.html
	@test -n "$(PRESET)" || { echo "error: PRESET is not set; run 'make gds PRESET=sky130-small'" >&2; exit 2; }
	$(BIN)/hysteron gds $(PRESET) $(if $(UNTIL),--until $(UNTIL)) $(if $(CHECK),--check) $(if $(DOCKERIZED),--dockerized)

layout: $(VENV)/ready-gds ## check the layout of PRESET that comes with the project, with its timing and energy
	@test -n "$(PRESET)" || { echo "error: PRESET is not set; run 'make layout PRESET=sky130-small'" >&2; exit 2; }
	$(BIN)/hysteron layout $(PRESET) --images 20

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
	$(BIN)/hysteron figures --check docs/images
	$(BIN)/hysteron results --check

format: $(READY) ## format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Every extra but PyTorch's; the flow to silicon has its own lock, which holds what is in both to the same version.
LOCKED := sim machine fpga silicon data convert dev
LOCK = $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --no-annotate --python-version 3.11 \
	$(LOCKED:%=--extra %)

lock: $(READY) ## renew requirements.lock and requirements-gds.lock from pyproject.toml
	$(LOCK) --extra gds -o requirements-gds.lock pyproject.toml
	$(LOCK) -c <(sed 's/ *\\$$//; /^ *--hash/d' requirements-gds.lock) -o requirements.lock pyproject.toml

train-setup: $(VENV)/ready-train ## add PyTorch and snnTorch

$(VENV)/ready-train: $(READY)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint <(sed 's/ *\\$$//; /^ *--hash/d' requirements.lock) \
		torch==2.13.0 snntorch==1.0.0 nirtorch==2.6
	@touch $@

test-train: $(VENV)/ready-train ## run the tests of training and import with PyTorch
	$(BIN)/pytest -n $(JOBS) --dist worksteal tests/train tests/convert tests/docs

networks: $(VENV)/ready-train ## train every shipped network again, with its float twin (hours)
	for network in networks/*.hyn; do name=$$(basename $$network .hyn); \
		$(BIN)/hysteron train $$name --twin --out $$network || exit; done

results: $(READY) ## measure every shipped network, update networks/results.json and docs/networks.md
	$(BIN)/hysteron results

clean: ## remove generated files, not .venv
	rm -rf build
