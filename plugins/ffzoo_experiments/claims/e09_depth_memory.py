"""E9: what a step keeps for its backward, against depth: DTG-FF in two ways to run it, backprop in three."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import partial
from typing import Any

import matplotlib.figure
import torch

from ffzoo.bench import COLORS, LINES, MARKERS, environment
from ffzoo.plugin import Figure, Report, Study, Table, Verdict
from ffzoo_experiments.claims.options import Systems
from ffzoo_experiments.speed.arms import Arm, changed
from ffzoo_experiments.speed.options import Speed
from ffzoo_experiments.speed.steps import cost

STREAMING, BACKPROP = "FF streaming", "BP"


@dataclass(frozen=True)
class Depths:
    """Depths that are compared, and the setting they share."""

    depths: tuple[int, ...]
    setting: Speed


SCALES = {
    "smoke": Depths((2, 4), Speed(width=4, side=8, batch_size=8, micro_batches=(4,))),
    "cpu": Depths((4, 8, 16, 32), Speed(micro_batches=(32,))),
    "full": Depths((4, 8, 16, 32, 64), Speed(width=64, side=64, micro_batches=(32,))),
}


def e9(config: Systems, study: Study) -> Report:
    """Count instead of timing, so that figures are the same on every machine."""
    depths = SCALES[config.scale].depths
    speed = dataclasses.replace(SCALES[config.scale].setting, device=config.device)
    size = speed.micro_batches[0]
    arms = {
        STREAMING: Arm("dtg_ff"),
        "FF all at once": Arm("dtg_ff", "all at once"),
        BACKPROP: Arm("bp"),
        f"BP + accumulation ({size} of {speed.batch_size})": Arm("bp", "micro-batch", size),
        "BP + checkpointing": Arm("bp", "checkpointing"),
    }
    device = torch.device("cpu") if study.reads_only else environment.resolve_device(config.device)
    study.expect(len(arms) * len(depths))
    saved: dict[str, dict[int, int]] = {}
    for name, arm in arms.items():
        for depth in depths:
            deep = changed(speed, "depth", depth)
            deep = deep if "micro" not in arm.kind else dataclasses.replace(deep, micro_batches=(size,))
            cell = study.cell(f"depth {depth}: {name}", partial(cost, deep, arm, "fp32", device))
            saved.setdefault(name, {})[depth] = cell["saved_activation_bytes"]
    slopes = {name: slope(values) for name, values in saved.items()}
    return Report(
        {"options": dataclasses.asdict(config), "saved_activation_bytes": saved, "bytes_per_block": slopes},
        (_table(saved, slopes, depths),),
        (_figure(saved, speed.batch_size),),
        _verdicts(saved, slopes, depths, conclusive=config.scale != "smoke"),
        (
            f"Backbone cnn of width {speed.width or 32}, {speed.side} px, batch {speed.batch_size}: bytes of distinct "
            "storages that are kept for a later backward, at their peak in one step, what the engine keeps included.",
            "Blocks of one convolution: recomputing a block saves nothing.",
        ),
        "Does the activation memory of a local rule grow with depth?",
        "FF can be implemented without storing depth-wide activations (abstract of arXiv:2606.06539).",
        "Counted activations, not a device's memory: weights, optimizer states and workspaces grow with depth in all.",
    )


def slope(values: dict[int, int]) -> float:
    """Return bytes for each block more, by least squares; the first depth is left out where there are more than two."""
    points = sorted(values.items())[1 if len(values) > 2 else 0 :]
    x = sum(depth for depth, _ in points) / len(points)
    y = sum(size for _, size in points) / len(points)
    return sum((d - x) * (s - y) for d, s in points) / sum((d - x) ** 2 for d, _ in points)


def _table(saved: dict[str, dict[int, int]], slopes: dict[str, float], depths: tuple[int, ...]) -> Table:
    rows = tuple(
        (name, *(f"{values[d] / 2**20:.2f}" for d in depths), f"{slopes[name] / 2**20:.3f}")
        for name, values in saved.items()
    )
    columns = ("arm", *(f"depth {d}" for d in depths), "a block more")
    return Table("Saved activations of a step, MiB", columns, rows)


def _figure(saved: dict[str, dict[int, int]], batch_size: int) -> Figure:
    def draw(canvas: matplotlib.figure.FigureBase) -> None:
        ax = canvas.subplots()
        for number, (name, values) in enumerate(saved.items()):
            style: dict[str, Any] = {
                "color": COLORS[number % 5],
                "marker": MARKERS[number % 5],
                "linestyle": LINES[number % 5],
            }
            ax.plot(list(values), [size / 2**20 for size in values.values()], label=name, **style)
        ax.set_xscale("log", base=2)
        depths = list(next(iter(saved.values())))
        ax.set_xticks(depths, [str(d) for d in depths])
        ax.set_ylim(bottom=0)
        ax.set_xlabel("blocks")
        ax.set_ylabel("saved activations of a step, MiB")
        ax.legend()

    return Figure("depth", f"What a step of batch {batch_size} keeps for its backward.", draw, (7.0, 4.4))


def _verdicts(
    saved: dict[str, dict[int, int]], slopes: dict[str, float], depths: tuple[int, ...], conclusive: bool
) -> tuple[str, ...]:
    first, last = (8 if 8 in depths else depths[0]), depths[-1]
    growth = {name: values[last] / values[first] for name, values in saved.items()}
    holds = growth[STREAMING] <= 1.05
    word = ("reproduced" if holds else "opposite") if conclusive else "inconclusive"
    return (
        Verdict(
            f"{word}: at depth {last} the saved activations of {STREAMING} are {growth[STREAMING]:.2f} times those at "
            f"depth {first} ({slopes[STREAMING] / 2**20:+.3f} MiB per block), those of {BACKPROP} "
            f"{growth[BACKPROP]:.2f} times; counted, so without an interval; claimed: no growth with depth",
            word,
            "the activation memory of a local rule does not grow with depth",
            f"{STREAMING}, depth {first} to {last}",
            f"{growth[STREAMING]:.2f} times, counted",
        ),
    )
