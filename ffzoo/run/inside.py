"""What a trained network looks like inside: goodness of samples, gradients between blocks, first filters."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.figure import FigureBase
from torch import Tensor

from ffzoo.algorithms.contract import Algorithm
from ffzoo.algorithms.engine import RecipeAlgorithm
from ffzoo.algorithms.step import Step
from ffzoo.backbones.batchnorm import buffers_untouched
from ffzoo.data.batch import Batch
from ffzoo.errors import OptionError
from ffzoo.measure.locality import Structural
from ffzoo.run.canvas import Panel
from ffzoo.run.style import COLORS

_BINS = 40
_CUT = 0.005  # of the samples at either end, which would squeeze the others
_FILTERS = 64
_READABLE = 0.35  # inches of a cell of a matrix that has room for a number
_MOST_BLOCKS = 8  # whose goodness is drawn


def goodness_of(algorithm: Algorithm, batch: Batch) -> tuple[dict[int, tuple[Tensor, Tensor]], str]:
    """Return the goodness of positive and of negative samples ``(B,)``, by block from 1, and what these are.

    Of a rule with negatives it is that of a training step; of one that scores classes, the score of the right class
    and of a wrong one.

    Raises:
        OptionError: the rule has neither.
    """
    if isinstance(algorithm, RecipeAlgorithm) and "negative" in algorithm.meaning.views:
        with torch.no_grad(), buffers_untouched(algorithm):
            found = algorithm.term_scores(algorithm.views_of(batch), Step.of(batch))
        of_blocks = {
            l + 1: (_per_sample(scores[0]), _per_sample(scores[1]))
            for l, of_terms in enumerate(found)
            for scores, (goodness, _, _) in list(zip(of_terms, algorithm.terms(l), strict=True))[:1]
            if len(scores) > 1 and goodness.kind in ("sample", "map")
        }
        if of_blocks:
            return of_blocks, "positive and negative samples"
    blocks = algorithm.scores(batch.x)[1] if algorithm.fitted else None
    rows, k = torch.arange(len(batch.y), device=batch.y.device), algorithm.num_classes
    wrong = (batch.y + 1 + rows % (k - 1)) % k
    scored = {l: (s[rows, batch.y], s[rows, wrong]) for l, s in enumerate(blocks or (), 1) if s is not None}
    if not scored:
        raise OptionError("no block scores samples or classes; expected a rule with negatives or with class scores")
    return scored, "the right class and a wrong one"


def _per_sample(score: Tensor) -> Tensor:
    """Return a score as one number per sample: of a map ``(B, P)`` its mean."""
    return score if score.dim() == 1 else score.flatten(1).mean(1)


def goodness_panel(scores: Mapping[int, tuple[Tensor, Tensor]], words: str) -> Panel:
    """Return histograms of the goodness of positive and negative samples, a panel per block; of many blocks, some."""
    blocks = list(scores)
    if len(blocks) > _MOST_BLOCKS:
        last = len(blocks) - 1
        blocks = [blocks[round(n * last / (_MOST_BLOCKS - 1))] for n in range(_MOST_BLOCKS)]
        words += f", {len(blocks)} of {len(scores)} blocks"

    def draw(canvas: FigureBase) -> None:
        panels = canvas.subplots(1, len(blocks), squeeze=False)[0]
        for ax, l in zip(panels, blocks, strict=True):
            positive, negative = scores[l]
            bins = max(10, min(_BINS, int(1.5 * math.sqrt(len(positive)))))
            both = torch.cat([positive, negative]).float().cpu()
            low, high = torch.quantile(both, torch.tensor([_CUT, 1 - _CUT])).tolist()
            span = (low, high if high > low else low + 1)
            for values, color, name in ((positive, COLORS[0], "positive"), (negative, COLORS[1], "negative")):
                ax.hist(values.cpu().numpy(), bins, range=span, color=color, alpha=0.55, label=name)
            above = float((positive > negative).float().mean())
            ax.set_title(f"block {l}: positive above in {100 * above:.0f} %", fontweight="normal", fontsize=9)
            ax.set_yticks([])
            ax.set_xlabel("goodness")
            ax.grid(False)
        panels[0].set_ylabel("samples")
        canvas.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize=8)

    return Panel(draw, (max(4.8, 2.4 * len(blocks)), 2.9), f"Goodness of {words}")


def gradients_panel(found: Structural) -> Panel:
    """Return the matrix of gradient norms: a row per loss, a column per block; an exact zero is left white."""
    matrix = torch.tensor(found.matrix)
    blocks = matrix.shape[1] - 1
    heads = len(matrix) - blocks
    rows = [f"loss {l}" for l in range(1, blocks + 1)] + ["loss of head"] * heads
    columns = [f"block {l}" for l in range(1, blocks + 1)] + (["shared"] if bool(matrix[:, -1].any()) else [])
    shown = matrix[:, : len(columns)]
    cell = min(0.62, 8.0 / len(rows))

    def draw(canvas: FigureBase) -> None:
        ax = canvas.subplots()
        logs = torch.where(shown > 0, shown.log10(), torch.nan)
        known = logs[shown > 0]
        low, high = (float(known.min()) - 1, float(known.max())) if len(known) else (0.0, 1.0)
        ax.imshow(logs.numpy(), cmap="Blues", vmin=low, vmax=high)
        for i, row in enumerate(shown.tolist() if cell > _READABLE else ()):
            for j, value in enumerate(row):
                dark = bool(value) and math.log10(value) > (low + high) / 2
                text = f"{value:.2g}" if value else "0"
                ax.text(j, i, text, ha="center", va="center", fontsize=8, color="white" if dark else "#495057")
        _cells(ax, columns, rows)
        ax.tick_params(axis="x", rotation=90 if len(columns) > 4 else 0)

    return Panel(
        draw, (max(4.4, 1.6 + cell * len(columns)), 0.9 + cell * len(rows)), "Gradient of each loss on each block"
    )


def confusion_panel(matrix: Sequence[Sequence[int]], names: Sequence[str], accuracy: float) -> Panel:
    """Return the confusion matrix: a row per true class, as fractions of it; the diagonal is what was right."""
    counts = torch.tensor(matrix, dtype=torch.float64)
    shares = counts / counts.sum(1, keepdim=True).clamp(min=1)
    few = len(names) <= 20
    side = max(3.4, min(8.0, 1.0 + 0.32 * len(names)))

    def draw(canvas: FigureBase) -> None:
        ax = canvas.subplots()
        ax.imshow(shares.sqrt().numpy(), cmap="Blues", vmin=0, vmax=1)  # the root lets rare mistakes be seen
        if few:
            for y, row in enumerate(matrix):
                for p, count in enumerate(row):
                    color = "white" if shares[y, p] > 0.4 else "#495057"
                    ax.text(p, y, str(count) if count else "", ha="center", va="center", fontsize=7, color=color)
            _cells(ax, names, names)
            ax.tick_params(axis="x", rotation=0 if max(map(len, names)) < 3 else 90)
        else:
            ax.grid(False)
        ax.set_xlabel("predicted class")
        ax.set_ylabel("true class")

    return Panel(draw, (side + 0.4, side + 0.2), f"Confusion matrix, {100 * accuracy:.2f} % right")


def first_filters(algorithm: Algorithm, shape: Sequence[int]) -> Tensor:
    """Return what the first layer's units look at, as pictures ``(N, C, h, w)`` with one channel or three.

    Args:
        algorithm: trained.
        shape: of one input, ``(C, H, W)``.

    Raises:
        OptionError: the inputs are no images, or the first layer reads no pixels.
    """
    if len(shape) != 3:
        raise OptionError(f"inputs have shape {tuple(shape)}; expected images to draw filters of")
    weight: Tensor | None = next((p for p in algorithm.backbone.block_parameters(0) if p.dim() in (2, 4)), None)
    channels, height, width = shape
    if weight is not None and weight.dim() == 2 and weight.shape[1] >= channels * height * width:
        weight = weight[:, : channels * height * width].view(-1, channels, height, width)
    if weight is None or weight.dim() != 4 or weight.shape[-1] < 2:
        raise OptionError("the first layer reads no pixels; expected a convolution larger than 1x1, or a dense layer")
    filters = weight.detach().float().cpu()
    return filters if filters.shape[1] in (1, 3) else filters.mean(1, keepdim=True)


def filters_panel(filters: Tensor) -> Panel:
    """Return the first filters as pictures, each scaled to its own largest weight; a weight of 0 is white or grey."""
    shown = filters[:_FILTERS]
    count, channels, height, width = shown.shape
    across = math.ceil(math.sqrt(count * 1.6))
    down = math.ceil(count / across)
    size = shown.abs().amax((1, 2, 3), keepdim=True).clamp(min=1e-12)
    mosaic = torch.full((channels, down * (height + 1), across * (width + 1)), torch.nan)
    for n, picture in enumerate((shown / size + 1) / 2):  # 0 lies in the middle
        y, x = n // across * (height + 1), n % across * (width + 1)
        mosaic[:, y : y + height, x : x + width] = picture
    image = mosaic.permute(1, 2, 0).nan_to_num(1.0) if channels == 3 else mosaic[0]
    words = f"{count} of {len(filters)}" if count < len(filters) else f"{count}"

    def draw(canvas: FigureBase) -> None:
        ax = canvas.subplots()
        ax.imshow(image.numpy(), cmap="RdBu_r", vmin=0, vmax=1, interpolation="nearest")
        ax.axis("off")

    return Panel(draw, (0.42 * across + 0.4, 0.42 * down + 0.4), f"{words} first filters")


def _cells(ax: Axes, columns: Sequence[str], rows: Sequence[str]) -> None:
    """Name the columns and rows of a matrix."""
    ax.set_xticks(range(len(columns)), columns, fontsize=8)
    ax.set_yticks(range(len(rows)), rows, fontsize=8)
    ax.tick_params(length=0)
    ax.grid(False)
