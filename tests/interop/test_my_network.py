# SPDX-License-Identifier: Apache-2.0
"""Every block of docs/my-network.md runs, and what is read of a framework's module fires spike for spike as the module.

A block computes ``theirs``, what its framework answers, and ``ours``, what was read of it.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import hyn
from hysteron_base.errors import HysteronError
from support.networks import assert_same

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/my-network.md"
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE.read_text(), re.MULTILINE | re.DOTALL))
BLOCKS = {
    title: found[1]
    for title, text in SECTIONS.items()
    if (found := re.search(r"^```py\n(.*?)^```", text, re.MULTILINE | re.DOTALL))
}
#: What a section's block imports that may be missing, and the extra that brings it.
NEEDS = {
    "Without any framework": (),
    "snnTorch": ("snntorch",),
    "Norse": ("nir", "norse"),
    "Sinabs": ("nir", "sinabs"),
    "SpikingJelly": ("nir", "spikingjelly"),
    "Rockpool": ("nir", "rockpool"),
    "lava-dl": ("h5py",),
    "jaxsnn": ("jaxsnn",),
    "Brevitas": ("snntorch", "brevitas"),
}
CONVERT = ("nir", "h5py", "snntorch")


def names_of(title: str, *changes: tuple[str, str]) -> dict[str, Any]:
    """What the block of a section leaves behind, run with parts of its text replaced."""
    for package in NEEDS[title]:
        extra = "convert" if package in CONVERT else "interop"
        pytest.importorskip(package, reason=f"{package} is not installed (extra '{extra}')", exc_type=ImportError)
    block = BLOCKS[title]
    for old, new in changes:
        assert old in block, old
        block = block.replace(old, new)
    if importlib.util.find_spec("torch") is not None:
        import torch

        torch.manual_seed(0)
    names: dict[str, Any] = {}
    exec(compile(block, PAGE.name, "exec"), names)
    return names


def share(names: dict[str, Any]) -> float:
    """Share of the spikes that differ, in percent."""
    return 100 * float((names["ours"] != names["theirs"]).mean())


@pytest.fixture(autouse=True)
def _place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A folder to write ``build`` into."""
    (tmp_path / "build").mkdir()
    monkeypatch.chdir(tmp_path)


def test_every_block_is_run() -> None:
    assert list(BLOCKS) == list(NEEDS)
    assert all(text.count("```py\n") <= 1 for text in SECTIONS.values())


@pytest.mark.parametrize("title", [title for title in NEEDS if title != "lava-dl"])
def test_the_network_that_is_read_fires_as_the_module(title: str) -> None:
    names = names_of(title)
    theirs, ours = names["theirs"], names["ours"]
    assert theirs.shape == ours.shape and theirs.shape[0] == 50 and theirs.shape[2] == 4
    assert set(np.unique(theirs)) == {0, 1} and 0.01 < theirs.mean() < 0.7  # silence would agree with everything
    assert (ours == theirs).all()
    network = hyn.load("build/net.hyn")
    assert network.shape == "16-32-4" and names["imported"].check.faithful
    if title in ("SpikingJelly", "Rockpool"):  # whose graphs nir can write: a file of it is the same
        import nir

        nir.write("build/net.nir", names["graph"])
        options = re.search(r"import_network\(\s*graph, (.*?)\s*\)\n", BLOCKS[title], re.DOTALL)
        assert options is not None
        call = f"hyn.import_network('build/net.nir', name='network', {options[1]})"
        assert_same(eval(call, names).network, network)
    if title == "Brevitas":
        assert names["imported"].rounding.exact


#: Rows of the page's tables: section, row, changes of its block.
THETA = "spike_threshold=theta"
COSTS: list[tuple[str, str, list[tuple[str, str]]]] = [
    ("Sinabs", "the default `MultiSpike`", [(", spike_fn=SingleSpike", "")]),
    ("Sinabs", '`stepping="exact"` left away', [(', stepping="exact"', "")]),
    ("Sinabs", "`min_v_mem=-theta`", [(THETA, f"{THETA}, min_v_mem=-0.03")]),
    ("Sinabs", "`norm_input=False`", [(THETA, f"{THETA}, norm_input=False")]),
    ("Sinabs", "`tau_syn=5.0`", [(THETA, f"{THETA}, tau_syn=5.0")]),
    ("Rockpool", "`node.r` not mended", [("node.r = ", "_ = ")]),
    ("Rockpool", '`node.r` not mended and `stepping="euler"`', [("node.r = ", "_ = "), ('"exact"', '"euler"')]),
    ("Rockpool", "`max_spikes_per_dt` left at its default, 65536", [(", max_spikes_per_dt=one", "")]),
    (
        "Rockpool",
        "a neuron's own `bias=0.05`, which the exporter forgets",
        [("tau_mem=10e-3", "tau_mem=10e-3, bias=0.05")],
    ),
]


@pytest.mark.parametrize(("title", "row", "changes"), COSTS, ids=[f"{title} {row}" for title, row, _ in COSTS])
def test_what_a_wrong_option_costs(title: str, row: str, changes: list[tuple[str, str]]) -> None:
    """The figures of the page's tables, of which another release of a framework may make slightly others."""
    (stated,) = re.findall(rf"^\| {re.escape(row)} \| ([\d.]+) % \|", SECTIONS[title], re.MULTILINE)
    assert share(names_of(title, *changes)) == pytest.approx(float(stated), abs=1.0) and float(stated) > 0


# -- claims of the lists --------------------------------------------------------------------------------------------


def refusal(make: Callable[[], Any]) -> str:
    with pytest.raises(HysteronError) as caught:
        make()
    return str(caught.value)


def test_norse() -> None:
    box = "norse.LIFBoxCell(p)"
    assert "node '1' has tau_syn = 0.005 s; the hardware's synaptic current lasts one step" in refusal(
        lambda: names_of("Norse", (box, "norse.LIFCell()"))
    )
    assert "has tau = 8e-06 s, shorter than dt" in refusal(lambda: names_of("Norse", ("16), dt=1)", "16))")))
    threshold = ("norse.LIFBoxParameters(tau_mem_inv=torch.tensor(125.0), v_th=torch.tensor(0.05))", "None")
    iaf = (threshold, (box, "norse.IAFCell(norse.IAFParameters(v_th=torch.tensor(0.2)))"))
    assert share(names_of("Norse", *iaf, ("dt=1e-3", "dt=1"))) == 0 < share(names_of("Norse", *iaf))
    given = "v_th=torch.tensor(0.05)"
    # Norse starts from v_leak, wherever the reset leads.
    below = (given, f"{given}, v_reset=torch.tensor(-0.02)")
    mended = ("dt=1)\n", "dt=1)\nfor i in '13': graph.nodes[i].v_reset = np.array(-0.02)\n")
    start = ("imported.reference.run", "started(imported.reference).run")
    begin = (
        "import hyn\n",
        "import hyn\nfrom dataclasses import replace\n"
        "def started(n): return replace(n, layers=tuple(replace(l, start=l.start) for l in n.layers))\n",
    )
    assert share(names_of("Norse", below)) > 0 == share(names_of("Norse", below, mended, begin, start))
    leaking = (given, f"{given}, v_leak=torch.tensor(0.02)")
    from_leak = (begin[0], begin[1].replace("l.start", "np.full(l.n_out, 0.02)"))
    assert share(names_of("Norse", leaking)) > 0 == share(names_of("Norse", leaking, from_leak, start))
    both = ("nn.Linear(32, 4), norse.LIFBoxCell(p)", "nn.Linear(32, 4), norse.IAFCell(norse.IAFParameters())")
    assert share(names_of("Norse", both, ("dt=1)\n", "dt=1)\ngraph.nodes['3'].r = np.array(1 / 1e-3)\n"))) == 0
    subtract = (given, f"{given}, reset_method=reset_subtract")
    imports = ("import hyn\n", "import hyn\nfrom norse.torch.functional.reset import reset_subtract\n")
    assert share(names_of("Norse", imports, subtract, ('reset="zero"', 'reset="subtract"'))) == 0


def test_sinabs() -> None:
    """Its mends: an input that is not scaled, and neurons without a leak."""
    unscaled = (THETA, f"{THETA}, norm_input=False")
    line = "for i in '13': graph.nodes[i].r = 1 / (1 - torch.exp(-1 / graph.nodes[i].tau))"
    assert share(names_of("Sinabs", unscaled, ("# batch, one step, inputs\n", f"\n{line}\n"))) == 0
    assert share(names_of("Sinabs", ("sl.LIF(tau_mem=20.0, ", "sl.IAF("))) == 0
    reset = (THETA, f"{THETA}, reset_fn=MembraneReset()")
    imports = ("import SingleSpike", "import MembraneReset, SingleSpike")
    assert share(names_of("Sinabs", imports, reset, ('reset="subtract"', 'reset="zero"'))) == 0


def test_spikingjelly() -> None:
    lif = "neuron.LIFNode(tau=4.0, v_threshold=0.1"
    for other in ("neuron.LIFNode(tau=4.0, decay_input=False, v_threshold=0.5", "neuron.IFNode(v_threshold=0.5"):
        assert share(names_of("SpikingJelly", (lif, other))) == 0
    assert share(names_of("SpikingJelly", (lif, "neuron.ParametricLIFNode(init_tau=3.0, v_threshold=0.1"))) == 0
    below = [(lif, f"{lif}, v_reset=-0.05"), ("import hyn\n", "import hyn\nfrom dataclasses import replace\n")]
    start = "replace(imported.reference, layers=tuple(replace(x, start=None) for x in imported.reference.layers)).run"
    assert share(names_of("SpikingJelly", *below)) > 0
    assert share(names_of("SpikingJelly", *below, ("imported.reference.run", start))) == 0
    soft = [
        (lif, f"{lif}, v_reset=None"),
        ("graph =", "for part in (net[1], net[3]): part.v_reset = 0.0\ngraph ="),
        ("imported =", "for part in (net[1], net[3]): part.v_reset = None\nimported ="),
    ]
    assert share(names_of("SpikingJelly", *soft, ('reset="zero"', 'reset="subtract"'))) == 0
    many = [
        ("graph =", 'functional.set_step_mode(net, "m")\ngraph ='),
        ("torch.zeros(1, 16)", "torch.zeros(1, 1, 16)"),
        (
            "np.stack([net(torch.tensor(spikes[:, t]).float()).numpy() for t in range(20)], axis=1)",
            "net(torch.tensor(spikes).float().transpose(0, 1)).transpose(0, 1).numpy()",
        ),
    ]
    assert share(names_of("SpikingJelly", *many)) == 0


def test_rockpool() -> None:
    """A bias in LinearTorch is kept; a current that lasts is refused."""
    assert share(names_of("Rockpool", ("has_bias=False", "has_bias=True, bias=torch.tensor(0.05)"))) == 0
    lasting = [("LIFNeuronTorch", "LIFTorch"), ("nir.LIF", "nir.CubaLIF"), (".tau)", ".tau_mem)")]
    for tau in ("tau_mem=10e-3", "tau_mem=10e-3, tau_syn=dt"):
        assert "is a CubaLIF: solved exactly, its synaptic current lasts" in refusal(
            lambda tau=tau: names_of("Rockpool", *lasting, ("tau_mem=10e-3", tau))
        )


def lava_file(path: str, weights: list[NDArray[np.int64]], thresholds: list[int], decay: int) -> None:
    """A network as ``export_hdf5`` of lava-dl writes it."""
    import h5py

    with h5py.File(path, "w") as file:
        file["layer/0/type"] = np.array([b"input"], "S10")
        for index, (w, theta) in enumerate(zip(weights, thresholds, strict=True), 1):
            part = file.create_group(f"layer/{index}")
            part["type"] = np.array([b"dense"], "S10")
            part["shape"], part["inFeatures"], part["outFeatures"] = np.array([len(w)]), w.shape[1], len(w)
            part["weight"] = w
            params = {"type": "CUBA", "iDecay": 4096, "vDecay": decay, "vThMant": theta, "refDelay": 1}
            for key, value in (params | {"gradedSpike": False}).items():
                part[f"neuron/{key}"] = value


@pytest.mark.parametrize("decay", [512, 4096, 0, 128])
def test_lava(decay: int) -> None:
    """Against its equations in integers: potentials in 1/64 of a weight's unit, decays cut off toward zero."""
    rng = np.random.default_rng(decay)
    weights = [2 * rng.integers(-60, 90, (32, 16)), 2 * rng.integers(-60, 80, (4, 32))]
    pytest.importorskip("h5py", reason="h5py is not installed (extra 'convert')")
    lava_file("build/lava.net", weights, [200, 301], decay)
    imported = names_of("lava-dl")["imported"]
    given = (rng.random((50, 20, 16)) < 0.3).astype(np.int64)
    for w, theta in zip(weights, [200, 301], strict=True):
        v, fired = np.zeros((50, len(w)), np.int64), np.zeros((50, 20, len(w)), np.int64)
        for t in range(20):
            kept = v * (4096 - decay)
            v = np.sign(kept) * (abs(kept) >> 12) + 64 * (given[:, t] @ w.T)
            fired[:, t] = v > 64 * theta
            v = v * (1 - fired[:, t])
        if w is weights[0]:
            spikes = given
        given = fired
    ours = imported.reference.run(spikes.astype(np.uint8), trace=True).spikes[-1]
    assert 0.05 < given.mean() < 0.7 and (ours == given).all()
    beta = imported.network.layers[0].leak / 256
    assert np.allclose(beta, 1 - decay / 4096, atol=0.002)


@pytest.mark.parametrize(
    "changes", [{"iDecay": 2048}, {"iDecay": [4096, 4095]}, {"gradedSpike": True}, {"../delay": 1}, {"../bias": 1}]
)
def test_what_lava_has_and_the_hardware_does_not_is_refused(changes: dict[str, Any]) -> None:
    pytest.importorskip("h5py", reason="h5py is not installed (extra 'convert')")
    lava_file("build/lava.net", [2 * np.ones((2, 2), np.int64)], [3], 0)
    import h5py

    with h5py.File("build/lava.net", "a") as file:
        for key, value in changes.items():
            place = f"layer/1/{key.removeprefix('../')}" if ".." in key else f"layer/1/neuron/{key}"
            if place in file:
                del file[place]
            file[place] = value
    with pytest.raises(SystemExit, match="layer 1, dense: it has a lasting current"):
        names_of("lava-dl")
