"""What a run wrote after every epoch, as curves: accuracies and temperatures of its blocks. No torch in here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import FigureBase
from matplotlib.ticker import MaxNLocator

from ffzoo.errors import OptionError
from ffzoo.run.canvas import Panel
from ffzoo.run.folder import RunFolder

_ACROSS = 3  # panels in a row
_DOTTED = 25  # epochs up to which each is marked
_KINDS = (
    ("validation_accuracy", 100.0, "validation accuracy, %", "on validation data"),
    ("accuracy", 100.0, "training accuracy, %", "on training data"),
    ("pairs", 100.0, "pairs in the right order, %", "on training data"),
    ("loss", 1.0, "local loss", "on training data"),
)


def block_colors(blocks: int) -> list[Any]:
    """Return a colour for each block, from light for the first to dark for the last."""
    return [colormaps["viridis_r"](0.12 + 0.8 * l / max(1, blocks - 1)) for l in range(blocks)]


def folders_of(runs: Sequence[str | Path]) -> list[RunFolder]:
    """Return the runs of some folders; a folder of runs that were planned together stands for all of them.

    Raises:
        CheckpointError: a folder is not there, or holds no run.
        OptionError: there is no folder.
    """
    if not runs:
        raise OptionError("no run is named; expected at least one run folder")
    found = [run for path in runs for run in RunFolder(path).runs()]
    for run in found:
        run.config()
    return found


def name_of(run: RunFolder) -> str:
    """Return what a plot calls a run: the folder's own name."""
    return run.path.resolve().name


def curves_panel(runs: Sequence[RunFolder]) -> Panel:
    """Return accuracy over epochs, per block and fused, a panel per run; the loss where no accuracy was measured.

    Raises:
        OptionError: no epoch is finished, or there was nothing to measure.
    """
    found = [_accuracies(run) for run in runs]
    return _panels([(run, *of_run) for run, of_run in zip(runs, found, strict=True)], "Blocks over epochs")


def temperatures_panel(runs: Sequence[RunFolder]) -> Panel:
    """Return learned temperatures over epochs, a panel per run.

    Raises:
        OptionError: none was learned, or the run is of a version that did not write them.
    """
    found = []
    for run in runs:
        series = _series(run.metrics(), "temperature", 1.0)
        if not series:
            raise OptionError(f"{str(run)!r} wrote no temperature: its rule learns none, or it is of an older version")
        found.append((run, series, "temperature", ""))
    return _panels(found, "Temperatures")


def _accuracies(run: RunFolder) -> tuple[dict[str, list[tuple[int, float]]], str, str]:
    """Return the curves of a run, what their axis is, and what they were measured on."""
    lines = run.metrics()
    fused = _curve(lines, "validation_accuracy", 100.0)
    for key, factor, axis, words in _KINDS:
        series = _series(lines, key, factor)
        if not series:
            continue
        if key == "validation_accuracy":
            return series | {"fused": fused}, axis, words
        if fused and factor == 100.0:
            return series | {"fused": fused}, axis, "blocks on training data, fused on validation data"
        return series, axis, words
    if fused:
        return {"fused": fused}, "validation accuracy, %", ""
    done = f"after {len(lines)} epochs" if lines else "before the first epoch ended"
    raise OptionError(f"{str(run)!r} wrote no accuracy and no loss {done}; expected a run that measured one")


def _series(lines: Sequence[dict[str, Any]], key: str, factor: float) -> dict[str, list[tuple[int, float]]]:
    ends = {k.partition("/")[2] for line in lines for k in line if k.startswith(f"{key}/")}
    blocks = sorted(int(end) for end in ends if end.isdigit())  # others are a head's
    return {f"block {l}": _curve(lines, f"{key}/{l}", factor) for l in blocks}


def _curve(lines: Sequence[dict[str, Any]], key: str, factor: float) -> list[tuple[int, float]]:
    return [(line["epoch"], factor * line[key]) for line in lines if key in line]


def _panels(found: Sequence[tuple[RunFolder, dict[str, list[tuple[int, float]]], str, str]], title: str) -> Panel:
    across = min(_ACROSS, len(found))
    down = -(-len(found) // across)
    same = len({axis for _, _, axis, _ in found}) == 1

    def draw(canvas: FigureBase) -> None:
        grid = canvas.subplots(down, across, squeeze=False, sharey=same)
        for ax in grid.flat[len(found) :]:
            ax.set_visible(False)
        for number, (ax, (run, series, axis, words)) in enumerate(zip(grid.flat, found, strict=False)):
            _draw(ax, series)
            ax.set_xlabel("epoch")
            if number % across == 0 or not same:
                ax.set_ylabel(axis)
            if len(found) > 1:
                ax.set_title(name_of(run))
            elif words:
                ax.set_title(words, fontweight="normal", color="#495057", fontsize=9)

    return Panel(draw, (4.2 * across + 0.6, 3.4 * down), title)


def _draw(ax: Axes, series: dict[str, list[tuple[int, float]]]) -> None:
    numbers = {name: int(name.split()[1]) for name in series if name != "fused"}
    of_blocks = block_colors(max(numbers.values(), default=0))
    colors = {name: of_blocks[l - 1] for name, l in numbers.items()} | {"fused": "#212529"}
    for name, points in series.items():
        marker = "o" if len(points) <= _DOTTED else None
        style: dict[str, Any] = {"linewidth": 2.4, "linestyle": (0, (4, 1.5))} if name == "fused" else {}
        ax.plot(*zip(*points, strict=True), color=colors[name], marker=marker, markersize=3, label=name, **style)
    ax.xaxis.set_major_locator(MaxNLocator("auto", integer=True, steps=[1, 2, 5, 10]))
    ax.legend(loc="best", fontsize=8, ncols=2 if len(series) > 5 else 1)
