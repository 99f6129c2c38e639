"""Greedy InfoMax: without labels, every block predicts what lies further down its own map.

Every block is trained so that its map at one row foretells the map some rows further down, among other samples' maps;
for block l with detached input, pooled to patches a::

    f_k(i, j) = exp(a_j[r + k + s, c] . W_k a_i[r, c])           log-bilinear, one learned matrix a step k; s = 1
    L_l = - mean over k, positions and samples i of log(f_k(i, i) / sum over samples j of f_k(i, j))
    u_l = LayerNorm(h_l), stop-gradient
    prediction: a linear softmax on the features, fitted when the blocks are done

The control to read beside every figure of this rule is ``random_features``: the same probe on blocks that learned
nothing.
"""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge

from ffzoo.plugin import Card, Published, Recipe, Term, algorithm, goodness, local_loss, options


@options
class InfoNCE:
    """Prediction of a map's lower rows from its upper ones.

    Attributes:
        steps: how many rows further down are predicted, from one to so many, each with a matrix of its own; fewer
            where the map is too small.
        skip: rows that are left out below a context, whose patches would overlap with it; none where the map is too
            small.
        grid: windows per side to which a map is averaged first.
    """

    steps: Annotated[int, Ge(1)] = 5
    skip: Annotated[int, Ge(0)] = 1
    grid: Annotated[int, Ge(2)] = 7


goodness(
    "infonce",
    ".greedy_infomax_parts:InfoNCE",
    config=InfoNCE,
    summary="log-probability of the right patch below, among others, one number per step down the map",
)
local_loss("negative_mean", ".greedy_infomax_parts:NegativeMean", summary="minus the mean of a map")

GREEDY_INFOMAX = algorithm(
    "greedy_infomax",
    Recipe(terms=(Term(InfoNCE(), "negative_mean"),), forward_norm="auto", fusion="probe"),
    summary="every block predicts what lies further down its map (InfoNCE), read by a probe",
    defaults={"backbone": "cnn"},
    card=Card(
        title="Putting An End to End-to-End: Gradient-Isolated Learning of Representations",
        authors="Löwe, O'Connor and Veeling",
        year=2019,
        url="https://arxiv.org/abs/1905.11786",
        source="code",
        local="A block learns from its own map alone, without labels; the probe sends nothing back.",
        published=(Published("stl10", 81.9, "ResNet-50 up to its third stage, in three modules", "memory"),),
        departures=(
            "Patches are windows of a block's map, whose receptive fields overlap; theirs are cut out of the image, "
            "and every patch is encoded by itself.",
            "The right patch stands among those of the other samples of the batch at the same place; theirs among 16 "
            "drawn from all places and samples.",
            "Every block of the backbone is a module; theirs are three stages of a residual network.",
            "The matrices W_k start from N(0, 1/C^2); theirs as PyTorch's convolutions do, orthogonal only on request.",
            "Blocks are normalized for the next one by the library's forward norm; theirs have no normalization.",
            "The probe reads pooled features of all blocks; theirs the last module's.",
        ),
        remarks=(
            "The published figure is of a linear classifier on features that were learned from unlabelled images.",
            "It needs maps: an mlp or flat inputs are refused.",
            "The prediction couples the samples of a batch, so micro-batches are refused.",
        ),
    ),
)
