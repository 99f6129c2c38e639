"""Blocks that tell nothing: their output is the same for every sample, or their loss never moves."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from ffzoo.algorithms.contract import Algorithm

_STILL = 1e-6  # relative change of a loss between epochs


def dead_blocks(algorithm: Algorithm, x: Tensor) -> list[int]:
    """Return the blocks, counted from 1, whose features are the same for all samples.

    Args:
        algorithm: trained; it stays as it is.
        x: at least two different inputs.
    """
    return [number for number, h in enumerate(algorithm.features(x), 1) if bool((h == h[:1]).all())]


def still_losses(first: Mapping[str, float], last: Mapping[str, float]) -> list[int]:
    """Return the blocks, counted from 1, whose mean loss is the same in two epochs."""
    keys = [key for key in first if key.startswith("loss/") and key != "loss/fusion" and key in last]
    still = [key for key in keys if abs(first[key] - last[key]) <= _STILL * max(abs(first[key]), 1e-12)]
    return sorted(int(key.partition("/")[2]) for key in still)


def dead_words(dead: list[int], still: list[int], lr: float) -> list[str]:
    """Return in sentences which blocks tell nothing."""
    found = []
    if dead:
        blocks = ", ".join(map(str, dead))
        found.append(
            f"dead blocks: the output of {blocks} is the same for every sample, so nothing is read of it; a lower "
            f"fit.lr (now {lr:g}) or wider blocks help"
        )
    unmoved = [block for block in still if block not in dead]
    if unmoved:
        found.append(f"the loss of blocks {', '.join(map(str, unmoved))} stayed the same: they learned nothing")
    return found


def differ(x: Tensor) -> bool:
    """Return whether there are two different inputs."""
    return len(x) > 1 and not torch.equal(x[:1].expand_as(x), x)
