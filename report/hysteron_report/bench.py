# SPDX-License-Identifier: Apache-2.0
"""The performance table, as the README shows it."""

from hysteron_measure.bench import Figures
from hysteron_measure.literature import OPENSPIKE
from hysteron_spec import PRESETS


def table(figures: Figures) -> str:
    """The figures of :func:`hysteron_measure.bench.measure_all` as Markdown."""
    lines = [
        "| core | activity | cycles a step | bound | utilisation | steps/s at 100 MHz | OpenSpike, cycles a step |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for row in figures["rows"]:
        steps = PRESETS[row["preset"]].clock_hz / row["cycles_per_step"]
        other = f"{OPENSPIKE.simulated} / {OPENSPIKE.hardened:,}" if row["preset"] == "openspike" else ""
        lines.append(
            f"| {row['preset']} | {100 * row['activity']:g} % | {row['cycles_per_step']:.1f} | {row['bound']:.1f} | "
            f"{100 * row['utilisation']:.1f} % | {steps:,.0f} | {other} |"
        )
    lines += [
        "",
        "| speed | |",
        "|---|--:|",
        f"| golden model, 784-256-10, 4 steps | {figures['golden_images_per_second']:,.0f} images/s |",
        f"| … its time over the bare float32 matrix products' | {figures['golden_over_matmul']:.2f} |",
        f"| RTL simulation of `mnist` (256 lanes) under cocotb | {figures['rtl_cycles_per_second']:,.0f} cycles/s |",
        f"| … a whole cocotb run's time over a bare C++ loop's | {figures['cocotb_over_bare']:.2f} |",
    ]
    return "\n".join(lines)
