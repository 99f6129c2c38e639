"""The figures of ``speed``."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from ffzoo.plugin import Figure
from ffzoo_experiments.speed.results import ArmResult, Findings

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

_REFERENCE = "#495057"
_COLOURS = ("#d9480f", "#1971c2", "#2f9e44", "#9c36b5", "#c2255c", "#0b7285")
_MARKERS = {
    "plain": ("o", "whole batch"),
    "compiled": ("*", "compiled"),
    "micro-batch": ("s", "micro-batches (size above)"),
    "checkpointing": ("^", "block checkpointing"),
    "winograd": ("h", "winograd convolutions"),
    "autograd": ("D", "through autograd, no closed form"),
    "all at once": ("v", "one backward for all blocks"),
    "bare": ("X", "plain PyTorch loop"),
    "bare compiled": ("P", "plain PyTorch loop, compiled"),
}
_LINES = {"plain": "-", "micro-batch": (0, (1, 1.2)), "checkpointing": (0, (5, 2)), "all at once": (0, (5, 2))}


def figures(found: Findings) -> tuple[Figure, ...]:
    """Speed against memory, and memory against depth."""
    config = found.config
    made = [
        Figure(
            "arms",
            f"Images per second over {config.reference}'s, paired by round, against what a step keeps for its "
            "backward. Vertical bars are 95 % intervals of the median; lines join micro-batch sizes.",
            partial(_draw_arms, found),
            (max(4.4 * len(config.precisions) + 1.2, 8.4), 5.2),  # the legend is 8 inches wide
        )
    ]
    if found.along("depth"):
        caption = f"Saved activations of one step, {config.precisions[0]}, batch {config.batch_size}."
        made.append(Figure("depth", caption, partial(_draw_depth, found), (7.2, 4.6)))
    return tuple(made)


def _colour(found: Findings, algo: str) -> str:
    algos = found.config.algos
    return _COLOURS[algos.index(algo) % len(_COLOURS)] if algo in algos else _REFERENCE


def _draw_arms(found: Findings, canvas: Canvas) -> None:
    from matplotlib.lines import Line2D

    panels = canvas.subplots(1, len(found.config.precisions), sharey=True, squeeze=False)[0]
    for axes, precision in zip(panels, found.config.precisions, strict=True):
        arms = [arm for arm in found.of(precision) if arm.kind != "again"]
        axes.axhline(1, color=_REFERENCE, linewidth=0.9, zorder=1)
        for algo in (found.config.reference, *found.config.algos):
            for together in (("plain", "micro-batch"), ("compiled",)):
                series = [arm for arm in arms if arm.algo == algo and arm.kind in together]
                series.sort(key=lambda arm: arm.micro_batch or found.config.batch_size)
                axes.plot(*_points(series), color=_colour(found, algo), linewidth=1, alpha=0.45, zorder=2)
        for arm in arms:
            _mark(axes, arm, _colour(found, arm.algo))
        axes.set_xscale("log", base=2)
        axes.xaxis.set_major_formatter(_mebibytes)
        axes.set_title(precision)
        axes.set_xlabel("saved activations, MiB (log scale)")
        axes.margins(x=0.07, y=0.1)
    panels[0].set_ylabel(f"images per second, x {found.config.reference}")
    algos = [
        Line2D([], [], color=_colour(found, algo), linewidth=5, label=algo)
        for algo in (found.config.reference, *found.config.algos)
    ]
    kinds = {arm.kind for arm in found.arms}
    ways = [
        Line2D([], [], color="#868e96", linestyle="", marker=marker, label=text)
        for kind, (marker, text) in _MARKERS.items()
        if kind in kinds
    ]
    canvas.legend(handles=[*algos, *ways], loc="outside lower center", ncols=3)


def _points(arms: Iterable[ArmResult]) -> tuple[list[float], list[float]]:
    pairs = [(arm.saved_activation_bytes / 2**20, arm.ratio.median) for arm in arms]
    return [x for x, _ in pairs], [y for _, y in pairs]


def _mark(axes: Axes, arm: ArmResult, colour: str) -> None:
    ((x,), (y,)) = _points([arm])
    if arm.ratio.low is not None and arm.ratio.high is not None:
        axes.plot([x, x], [arm.ratio.low, arm.ratio.high], color=colour, linewidth=1.4, alpha=0.7, zorder=3)
    size = 13 if arm.kind == "compiled" else 7  # a star is mostly points
    axes.plot(x, y, marker=_MARKERS[arm.kind][0], color=colour, markersize=size, markeredgecolor="white", zorder=4)
    if arm.micro_batch:
        from matplotlib.patheffects import withStroke

        halo = [withStroke(linewidth=2.5, foreground="white")]
        at: dict[str, Any] = {"xytext": (0, 7), "textcoords": "offset points", "ha": "center"}
        text = str(arm.micro_batch)
        axes.annotate(text, (x, y), fontsize=8, color=colour, path_effects=halo, zorder=5, **at)


def _mebibytes(value: float, _: Any) -> str:
    return f"{value:g}" if value < 1 else f"{value:,.0f}"


def _draw_depth(found: Findings, canvas: Canvas) -> None:
    axes = canvas.subplots()
    sizes = found.along("depth")
    depths = [size.value for size in sizes]
    ends: list[tuple[float, str, str]] = []
    for name in sizes[-1].saved_activation_bytes:
        algo, _, manner = name.partition(", ")
        kind = "micro-batch" if manner.startswith("micro") else manner or "plain"
        counts = [size.saved_activation_bytes[name] / 2**20 for size in sizes if name in size.saved_activation_bytes]
        if len(counts) < len(depths):
            continue
        colour = _colour(found, algo)
        marker = _MARKERS[kind][0]
        axes.plot(depths, counts, linestyle=_LINES[kind], marker=marker, color=colour, markeredgecolor="white")
        ends.append((counts[-1], name, colour))
    axes.set_xscale("log", base=2)
    axes.set_yscale("log", base=2)
    axes.set_xticks(depths, [str(depth) for depth in depths])
    axes.minorticks_off()
    axes.yaxis.set_major_formatter(_mebibytes)
    axes.set_xlabel("blocks (log scale)")
    axes.set_ylabel("saved activations, MiB (log scale)")
    low, high = axes.get_ylim()
    step, above = (high / low) ** 0.045, 0.0  # a line of text is a twentieth of the height
    for count, name, colour in sorted(ends):
        above = max(count, above * step)  # beside its line, but not on the label below
        at: dict[str, Any] = {"xytext": (9, 0), "textcoords": "offset points", "va": "center"}
        axes.annotate(name, (depths[-1], above), fontsize=9, color=colour, annotation_clip=False, **at)
    axes.margins(x=0.04)
