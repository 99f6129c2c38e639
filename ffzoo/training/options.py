"""Options of training, torch-free."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ffzoo.options import check, require


@dataclass(frozen=True)
class FitOptions:
    """How an algorithm is trained; equal for all arms of a comparison.

    Attributes:
        epochs: passes over the training part.
        batch_size: samples a step.
        lr: learning rate of the blocks at the start.
        optimizer: one instance a block.
        weight_decay: of matrices and filters; biases and scalars have none.
        schedule: of the learning rate over the whole run, step by step.
        warmup: fraction of the run in which the learning rate rises linearly.
        label_smoothing: mass that the blocks' cross-entropies spread evenly over all classes.
        augment: steps of batchwise augmentation, in order.
        seed: of initial weights, data order and augmentation.
    """

    epochs: int = 10
    batch_size: int = 128
    lr: float = 2e-3
    optimizer: Literal["adamw", "adam", "sgd"] = "adamw"
    weight_decay: float = 1e-4
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    warmup: float = 0.0
    label_smoothing: float = 0.0
    augment: tuple[Literal["crop", "flip", "cutout"], ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        check(self)
        require(self.epochs >= 1, "epochs", self.epochs, "at least 1")
        require(self.batch_size >= 1, "batch_size", self.batch_size, "at least 1")
        require(self.lr > 0, "lr", self.lr, "> 0")
        require(self.weight_decay >= 0, "weight_decay", self.weight_decay, "at least 0")
        require(0 <= self.warmup < 1, "warmup", self.warmup, "in [0, 1)")
        require(0 <= self.label_smoothing < 1, "label_smoothing", self.label_smoothing, "in [0, 1)")
        require(0 <= self.seed < 2**31, "seed", self.seed, "at least 0 and below 2**31")


@dataclass(frozen=True)
class Execution:
    """How a step runs, which is never what it learns: the weights are the same to rounding.

    Attributes:
        precision: ``bf16`` runs blocks under autocast; goodness, losses and weights stay float32.
        micro_batch: samples forwarded at once; 0 for the whole batch.
        checkpoint_blocks: recompute a block's inner activations in its backward.
        streaming: backward inside the forward walk, where the isolation allows it.
    """

    precision: Literal["fp32", "bf16"] = "fp32"
    micro_batch: int = 0
    checkpoint_blocks: bool = False
    streaming: bool = True

    def __post_init__(self) -> None:
        check(self)
        require(self.micro_batch >= 0, "micro_batch", self.micro_batch, "at least 0")
