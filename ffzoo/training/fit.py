"""The training loop: the same for every algorithm, and on one screen."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from ffzoo.algorithms.contract import Algorithm, Metrics
from ffzoo.algorithms.options import FitOptions
from ffzoo.backbones.base import seed
from ffzoo.data.augment import Augment, views
from ffzoo.data.batch import Batch
from ffzoo.data.bundle import DataBundle, Preprocess, Split
from ffzoo.data.options import AS_THEY_ARE, DataOptions
from ffzoo.errors import DivergedError, OptionError

T = TypeVar("T")

WARMUP_STEPS = 5
"""Steps at the start that are left out of images per second."""


class Seen(Protocol):
    """What sees predictions."""

    def update(self, scores: Tensor, y: Tensor) -> None:
        """See scores ``(B, K)`` and labels ``(B,)`` of a batch."""
        ...


class Part:
    """One split of the data in order and without augmentation, as ``start`` and ``finish`` see it.

    Args:
        split: images and labels, on the device.
        preprocess: pixels -> inputs.
        batch_size: samples per batch.
        steps: training steps per epoch.
    """

    def __init__(self, split: Split, preprocess: Preprocess, batch_size: int, steps: int = 0) -> None:
        self.split, self.preprocess, self.batch_size, self.steps = split, preprocess, batch_size, steps

    def __len__(self) -> int:
        return len(self.split)

    def __iter__(self) -> Iterator[Batch]:
        order = list(torch.arange(len(self.split)).split(self.batch_size))
        for x, y, index in self.split.batches(order):
            yield Batch(self.preprocess(x), y, index)


@dataclass
class Stopwatch:
    """Time and images of training work alone: no loading, no evaluation.

    Attributes:
        seconds: without the first steps, which are slower, for a speed.
        images: in those seconds.
        steps: all of them.
        total: seconds with the first steps, ``start`` and ``finish``, for a cost.
    """

    seconds: float = 0.0
    images: int = 0
    steps: int = 0
    total: float = 0.0

    def run(self, work: Callable[[], Any], images: int, device: torch.device) -> Any:
        """Do a piece of work and count it."""
        start = _now(device)
        result = work()
        elapsed = _now(device) - start
        self.steps += images > 0
        self.total += elapsed
        if self.steps > WARMUP_STEPS:
            self.seconds += elapsed
            self.images += images
        return result

    @property
    def images_per_second(self) -> float | None:
        """Images per second; None if there were too few steps to tell."""
        return self.images / self.seconds if self.images else None


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
    return time.perf_counter()


@dataclass
class Position:
    """Where a run is: what a checkpoint keeps beside the algorithm's state.

    Attributes:
        epoch: epochs finished.
        watch: training time so far.
        wall_seconds: time since the first step.
        finished: whether ``finish`` has run.
        test_reads: how often the test part was read.
    """

    epoch: int
    watch: Stopwatch
    wall_seconds: float = 0.0
    finished: bool = False
    test_reads: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Position:
        """Read what :meth:`to_json` wrote."""
        return cls(**(data | {"watch": Stopwatch(**data["watch"])}))


def epoch_order(samples: int, batch_size: int, seed: int, epoch: int) -> list[Tensor]:
    """Return the batches of one epoch, by sample index; a last batch that is not full is left out.

    It depends on seed and epoch alone, so a resumed run continues as if it had never stopped.
    """
    generator = torch.Generator().manual_seed(_mix(seed, epoch, 0))
    order = torch.randperm(samples, generator=generator)
    return [b for b in order.split(batch_size) if len(b) == min(batch_size, samples)]


def steps_per_epoch(train: Split, options: FitOptions) -> int:
    """Return the training steps per epoch."""
    return train.steps or len(epoch_order(len(train), options.batch_size, options.seed, 0))


def _mix(seed: int, epoch: int, stream: int) -> int:
    """Return a seed for each use, so that no two read the same random numbers."""
    return ((seed * 1_000_003 + epoch) * 7 + stream) % 2**63


def fit(
    algorithm: Algorithm,
    data: DataBundle,
    preprocess: Preprocess,
    options: FitOptions,
    position: Position,
    on_step: Callable[[Metrics], None],
    on_epoch: Callable[[dict[str, float]], None],
    data_options: DataOptions = AS_THEY_ARE,
    curves: bool = True,
) -> None:
    """Train to the end from wherever ``position`` says.

    Args:
        algorithm: built, on the device of ``data``; restored when resuming.
        data: on the device.
        preprocess: pixels -> inputs.
        options: how to train.
        position: updated in place.
        on_step: sees each step's metrics, still on the device.
        on_epoch: sees each epoch's means, with what was read of the algorithm, and with ``validation_accuracy``, fused
            and of each block, where it was measured; writes the checkpoint.
        data_options: which views of an image predictions are averaged over.
        curves: measure ``validation_accuracy`` after every epoch, unless what predicts is fitted only after the last;
            what is trained does not hang on it.

    Raises:
        DivergedError: a loss became NaN or infinite.
        OptionError: augmentation of what are no images.
    """
    device = data.train.labels.device
    if options.augment and len(data.shape) != 3:
        raise OptionError(f"augment is {','.join(options.augment)!r}, but {data.name} has no images; expected none")
    augment = Augment(options.augment, options.crop_padding, options.seed)
    steps = steps_per_epoch(data.train, options)
    batch = algorithm.execution.rows or options.batch_size
    train = Part(data.train, preprocess, batch, steps)
    validation = Part(data.validation, preprocess, batch) if data.validation is not None else None
    if algorithm.needs_validation and validation is None:
        raise OptionError(
            f"fusion {algorithm.fusion!r} chooses on the validation part, but data.validation is 0; "
            "expected another fusion, such as fusion=sum, or a validation part"
        )
    watch = position.watch
    begun = time.perf_counter() - position.wall_seconds
    if position.epoch == 0:
        seed(_mix(options.seed, 0, 3), device)
        watch.run(lambda: algorithm.start(train, options.epochs), 0, device)

    for epoch in range(position.epoch, options.epochs):
        generator = torch.Generator(device).manual_seed(_mix(options.seed, epoch, 1))
        seed(_mix(options.seed, epoch, 2), device)  # for what draws from the global one, such as dropout
        totals: dict[str, Tensor] = {}
        for x, y, index in data.train.batches(epoch_order(len(data.train), options.batch_size, options.seed, epoch)):
            sample = Batch(preprocess(augment(x, generator, index, epoch)), y, index, epoch, generator)
            metrics = watch.run(partial(algorithm.train_step, sample), len(y), device)
            for key, value in metrics.items():
                totals[key] = totals.get(key, 0.0) + value.detach()
            on_step(metrics)
        means = {key: float(value) / steps for key, value in totals.items()}
        for key, mean in means.items():
            if not math.isfinite(mean):
                raise DivergedError(
                    f"{key} became {mean} in epoch {epoch + 1}; expected a finite loss; "
                    f"lower fit.lr (now {options.lr:g})"
                )
        means |= algorithm.readings()
        if validation is not None and curves and algorithm.fitted:
            means |= _validated(algorithm, validation, data_options)
        position.epoch = epoch + 1
        position.wall_seconds = time.perf_counter() - begun
        on_epoch(means)

    if not position.finished:
        seed(_mix(options.seed, 0, 4), device)
        watch.run(lambda: algorithm.finish(train, validation), 0, device)
        position.finished = True
    position.wall_seconds = time.perf_counter() - begun


def averaged(read: Callable[[Tensor], T], x: Tensor, options: DataOptions) -> T:
    """Return what ``read`` makes of images, on average over their views.

    Args:
        read: an algorithm's ``predict`` or ``scores``.
        x: inputs, ``(B, C, H, W)`` when there are several views.
        options: ``test_flip`` and ``test_shift`` say which.
    """
    first, *others = (read(view) for view in views(x, options.test_flip, options.test_shift))
    if not others:
        return first
    mean: T = tree_map(lambda *scores: None if scores[0] is None else sum(scores) / len(scores), first, *others)
    return mean


def _validated(algorithm: Algorithm, part: Part, options: DataOptions) -> dict[str, float]:
    """Return ``validation_accuracy``, and ``validation_accuracy/1``, ... of the blocks whose scores cost little."""
    if not algorithm.blocks_score_cheaply:
        return {"validation_accuracy": accuracy(algorithm, part, options)}
    fused, blocks = accuracies(algorithm, part, options)
    of_blocks = {f"validation_accuracy/{l}": value for l, value in enumerate(blocks or (), 1) if value is not None}
    return {"validation_accuracy": fused, **of_blocks}


def accuracy(algorithm: Algorithm, part: Part, options: DataOptions = AS_THEY_ARE) -> float:
    """Return the fraction of right predictions in [0, 1], averaged over the views that ``options`` ask for."""
    return sum(int((averaged(algorithm.predict, b.x, options).argmax(1) == b.y).sum()) for b in part) / len(part)


def accuracies(
    algorithm: Algorithm, part: Part, options: DataOptions = AS_THEY_ARE, metrics: Sequence[Seen] = ()
) -> tuple[float, list[float | None] | None]:
    """Return the fraction of right predictions, and each block's own where it has scores.

    Args:
        algorithm: what predicts.
        part: images and labels.
        options: which views of an image scores are averaged over.
        metrics: see the scores too.

    Returns:
        Fused accuracy in [0, 1]; per block the same, or None for rules without scores a block.
    """
    right = 0
    per_block: list[int | None] | None = None
    for batch in part:
        scores, blocks = averaged(algorithm.scores, batch.x, options)
        right += int((scores.argmax(1) == batch.y).sum())
        for metric in metrics:
            metric.update(scores, batch.y)
        if blocks is not None:
            hits = [None if b is None else int((b.argmax(1) == batch.y).sum()) for b in blocks]
            per_block = per_block or [None if h is None else 0 for h in hits]
            per_block = [None if h is None or p is None else p + h for p, h in zip(per_block, hits, strict=True)]
    n = len(part)
    return right / n, None if per_block is None else [None if h is None else h / n for h in per_block]
