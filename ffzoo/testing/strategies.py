"""Random cases for the checks: hypothesis draws shapes, seeds and knobs; seeded generators fill the tensors."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ffzoo.algorithms.build import create_backbone
from ffzoo.backbones.base import Backbone
from ffzoo.backbones.options import CNN, MLP, ResNet
from ffzoo.backbones.partition import partition
from ffzoo.data.batch import Batch
from ffzoo.errors import OptionError

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

BACKBONES = ("mlp", "cnn", "resnet", "partition", "vectors")
"""What a case may run on; ``partition`` is a cut module with batch norm, ``vectors`` an MLP on flat inputs."""

_CONFIG: dict[str, Any] = {"mlp": MLP, "vectors": MLP, "cnn": CNN, "resnet": ResNet}


def hypothesis() -> Any:
    """Return the hypothesis package.

    Raises:
        OptionError: it is not installed.
    """
    try:
        import hypothesis
    except ImportError as error:
        raise OptionError("ffzoo.testing needs hypothesis; install it with `pip install 'ffzoo[test]'`") from error
    return hypothesis


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed torch's CPU generator inside the context, and restore it afterwards."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield


class TinyClassifier(nn.Module):
    """A classifier as timm's are: convolutions with batch norm and in-place ReLU, and a head of its own.

    Args:
        channels: of the input.
        width: of every convolution.
        depth: number of convolutions.
        num_classes: K.
        inplace: whether the ReLUs are.
    """

    def __init__(self, channels: int, width: int, depth: int, num_classes: int, inplace: bool = True) -> None:
        super().__init__()
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        for l in range(depth):
            layers[f"conv{l}"] = nn.Conv2d(channels if l == 0 else width, width, 3, padding=1)
            layers[f"norm{l}"] = nn.BatchNorm2d(width)
            layers[f"act{l}"] = nn.ReLU(inplace)
        self.body = nn.Sequential(layers)
        self.head = nn.Linear(width, num_classes)

    def forward_features(self, x: Tensor) -> Tensor:
        """Map ``(B, C, H, W) -> (B, width, H, W)``."""
        return self.body(x)

    def forward_head(self, x: Tensor) -> Tensor:
        """Map ``(B, width, H, W) -> (B, K)``."""
        return self.head(x.mean((2, 3)))

    def forward(self, x: Tensor) -> Tensor:
        """Return class scores ``(B, K)``."""
        return self.forward_head(self.forward_features(x))


@dataclass(frozen=True)
class Case:
    """One random situation.

    Attributes:
        backbone: one of :data:`BACKBONES`.
        depth: number of blocks.
        width: units or channels of the first block.
        shape: of one sample of the data.
        num_classes: K.
        batch_size: B.
        seed: of weights, data and noise.
    """

    backbone: str
    depth: int
    width: int
    shape: tuple[int, ...]
    num_classes: int
    batch_size: int
    seed: int

    def build_backbone(self, input_shape: tuple[int, ...], inplace: bool = True) -> Backbone:
        """Return the backbone for inputs of a shape, which a label embedding may have changed.

        Args:
            input_shape: without the batch.
            inplace: whether the blocks of a partition begin with an in-place ReLU.
        """
        with seeded(self.seed):
            if self.backbone != "partition":
                name = "mlp" if self.backbone == "vectors" else self.backbone
                config = _CONFIG[self.backbone](self.width, self.depth)
                return create_backbone(name, input_shape, self.num_classes, config)
            model = TinyClassifier(input_shape[0], self.width, self.depth, self.num_classes, inplace)
            # Cut behind the norms, so that the next block begins with the ReLU. A model with norms gets
            # none between its blocks by default: nothing but a copy can keep the two apart.
            cuts = [f"body.norm{l}" for l in range(self.depth - 1)]
            return partition(model, cuts, torch.randn(2, *input_shape), "tiny")

    def batch(self, step: int = 0, dtype: torch.dtype = torch.float32) -> Batch:
        """Return the batch of a step, the same at every call, with a fresh generator."""
        generator = torch.Generator().manual_seed(self.seed + 7919 * (step + 1))
        x = torch.randn(self.batch_size, *self.shape, generator=generator, dtype=torch.float64).to(dtype)
        y = torch.randint(self.num_classes, (self.batch_size,), generator=generator)
        return Batch(x, y, torch.arange(self.batch_size), 0, generator)


def cases(backbone: str, **fixed: Any) -> SearchStrategy[Case]:
    """Draw cases on one kind of backbone.

    Args:
        backbone: one of :data:`BACKBONES`.
        fixed: attributes of the case that are not drawn.
    """
    hypothesis()
    from hypothesis import strategies as st

    side = st.integers(6, 8)
    shape: SearchStrategy[tuple[int, ...]] = st.tuples(st.integers(1, 3), side, side)
    if backbone == "vectors":
        shape = shape.map(lambda s: (math.prod(s),))
    drawn: dict[str, Any] = {
        "depth": st.integers(2, 4),
        "width": st.integers(10, 14),
        "shape": shape,
        "num_classes": st.integers(2, 5),
        "batch_size": st.integers(4, 8),
        "seed": st.integers(0, 2**16),
    }
    return st.builds(Case, backbone=st.just(backbone), **(drawn | {k: st.just(v) for k, v in fixed.items()}))


@dataclass
class Toy:
    """A separable set: one random pattern per class, and a little noise.

    Attributes:
        shape: of one sample.
        num_classes: K.
        steps: number of batches.
        batch_size: B.
    """

    shape: tuple[int, ...]
    num_classes: int
    steps: int = 4
    batch_size: int = 32

    def __len__(self) -> int:
        return self.steps * self.batch_size

    def __iter__(self) -> Iterator[Batch]:
        generator = torch.Generator().manual_seed(0)
        patterns = torch.randn(self.num_classes, *self.shape, generator=generator)
        for number in range(self.steps):
            y = torch.randint(self.num_classes, (self.batch_size,), generator=generator)
            noise = torch.randn(self.batch_size, *self.shape, generator=generator)
            index = torch.arange(self.batch_size) + number * self.batch_size
            yield Batch(patterns[y] + 0.3 * noise, y, index, 0, torch.Generator().manual_seed(number))


def unlike(x: Tensor, seed: int) -> Tensor:
    """Return a fixed random weighting of a result, which gives every entry of it a gradient."""
    return torch.randn(x.shape, generator=torch.Generator().manual_seed(seed)).to(x)


def features(shape: tuple[int, ...], rows: int, seed: int) -> Tensor:
    """Return features as blocks give them: rectified, ``(rows, *shape)``."""
    return F.relu(torch.randn(rows, *shape, generator=torch.Generator().manual_seed(seed)) + 0.2)
