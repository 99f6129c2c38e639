"""What the class goodness projects with: the matrix P ``(d, K * m)``, one column per class and prototype."""

from __future__ import annotations

import math
from typing import cast

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor

from ffzoo.errors import RecipeError
from ffzoo.parts import options
from ffzoo.parts.base import Build


def class_matrix(config: options.Projection, build: Build, positions: int) -> Tensor:
    """P as it is drawn or computed once; a learned one starts from the random one.

    Args:
        config: the options of the class goodness.
        build: of its block.
        positions: windows of the map, 1 for flat features: d is as many numbers per channel.
    """
    d, k = build.shape[0] * positions, build.num_classes * config.prototypes
    random = torch.randn(d, k, generator=build.generator) / math.sqrt(d)
    if config.projection == "orthogonal":
        # Orthonormal columns (rows, when d < K), scaled to the random matrix's mean square 1/d.
        basis = torch.linalg.qr(random if d >= k else random.T)[0]
        return basis if d >= k else basis.T * math.sqrt(k / d)
    if config.projection == "groups":
        return group_matrix(build.shape, positions, build.num_classes)
    if config.projection == "waves":
        return wave_matrix(d, k, config.wave)
    if config.projection == "embeddings":
        return to_width(label_table(build, k), d).contiguous()
    return random


def group_matrix(shape: tuple[int, ...], positions: int, num_classes: int) -> Tensor:
    """P ``(C * positions, K)`` of the class groups: column k averages the channels of group k.

    Group sizes differ by at most one channel.

    Raises:
        RecipeError: fewer channels than classes.
    """
    channels = shape[0]
    if channels < num_classes:
        raise RecipeError(
            f"class groups need a channel a class: a block has {channels} channels for {num_classes} "
            "classes; expected a wider backbone (backbone.width) or projection=random"
        )
    group = torch.arange(channels) * num_classes // channels
    onehot = F.one_hot(group, num_classes).double()
    matrix = onehot / onehot.sum(0) / positions
    return rearrange(matrix[:, None].expand(-1, positions, -1), "c p k -> (c p) k").float()


def wave_matrix(d: int, num_classes: int, form: str) -> Tensor:
    """P ``(d, K)`` of waves along the features, one frequency per class (LLS, arXiv:2405.15868)."""
    frequencies = torch.linspace(50, 512, num_classes, dtype=torch.float64)
    waves = torch.sin(torch.arange(d, dtype=torch.float64)[:, None] * frequencies)
    return (waves.sign() if form == "square" else waves).float()


def label_table(build: Build, columns: int) -> Tensor:
    """Return the table N(0, 1) of label embeddings that the blocks share while they are built, ``(D, columns)``."""
    width = max(shape[0] for shape in build.shapes)
    if "label_embeddings" not in build.shared:
        build.shared["label_embeddings"] = torch.randn(width, columns, generator=build.generator)
    return cast(Tensor, build.shared["label_embeddings"])


def to_width(table: Tensor, d: int) -> Tensor:
    """Return columns averaged along the features: ``(D, K) -> (d, K)``."""
    return F.adaptive_avg_pool1d(table.T, d).T
