"""The arms of ``speed``: which algorithm, run in which way."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

from ffzoo import create
from ffzoo.bench import algorithm_spec, backbone_config
from ffzoo.plugin import Execution, FitOptions
from ffzoo_experiments.speed.options import Speed

if TYPE_CHECKING:
    import torch

    from ffzoo import Algorithm, Batch

General = Literal["plain", "again", "bare", "bare compiled", "compiled", "micro-batch", "checkpointing", "winograd"]
Kind = Literal[General, "autograd", "all at once"]


@dataclass(frozen=True)
class Arm:
    """One way to make a training step.

    Attributes:
        algo: the algorithm.
        kind: how it is run; ``again`` is ``plain`` a second time, to see how far two equal arms lie apart, and
            ``bare`` a plain PyTorch loop of the same network; ``compiled`` is with torch.compile.
        micro_batch: samples forwarded at once; 0 for the whole batch.
    """

    algo: str
    kind: Kind = "plain"
    micro_batch: int = 0

    @property
    def name(self) -> str:
        """What tables call it."""
        if self.kind.startswith("bare"):
            return "plain PyTorch" + self.kind.removeprefix("bare").replace(" ", ", ")
        return self.algo if self.kind == "plain" else f"{self.algo}, {self.manner}"

    @property
    def manner(self) -> str:
        """How it is run, in words."""
        size = f"micro-batch {self.micro_batch}" if self.micro_batch else ""
        return ", ".join(word for word in (self.kind.replace("micro-batch", ""), size) if word)

    def runs_in(self, precision: Literal["fp32", "bf16"]) -> bool:
        """Whether there is such a way to run in a precision."""
        return self.kind != "winograd" or precision == "fp32"

    def execution(self, precision: Literal["fp32", "bf16"]) -> Execution:
        """The same in the engine's words."""
        return Execution(
            precision=precision,
            micro_batch=self.micro_batch,
            compile=self.kind == "compiled",
            checkpoint_blocks=self.kind == "checkpointing",
            convolution="winograd" if self.kind == "winograd" else "direct",
            streaming=self.kind != "all at once",
            closed_form=self.kind != "autograd",
        )


def arms_of(config: Speed) -> list[Arm]:
    """Every arm, the reference first.

    Closed form and streaming are ways to run a local rule; for others there is nothing to choose.

    Raises:
        FFZooError: an algorithm or a backbone that nothing registered.
    """
    settings_of(config)
    reference = config.reference
    arms = [Arm(reference), Arm(reference, "again")]
    if config.backbone == "cnn" and reference == "bp":
        arms += [Arm(reference, "bare"), *([Arm(reference, "bare compiled")] if config.compiled else [])]
    arms += [Arm(reference, "micro-batch", size) for size in config.micro_batches]
    compiled: list[Kind] = ["compiled"] if config.compiled else []
    arms += [Arm(reference, "checkpointing"), Arm(reference, "winograd"), *(Arm(reference, kind) for kind in compiled)]
    for algo in config.algos:
        arms += [Arm(algo), *(Arm(algo, kind, size) for kind in compiled for size in (0, *config.micro_batches))]
        arms += [*(Arm(algo, "micro-batch", size) for size in config.micro_batches), Arm(algo, "winograd")]
        if is_local(algo):
            arms += [Arm(algo, "autograd"), Arm(algo, "all at once")]
    algorithm_spec(reference)
    return arms


def is_local(algo: str) -> bool:
    """Whether an algorithm is a recipe with isolation ``local``, whose steps the engine can run in several ways."""
    return (recipe := algorithm_spec(algo).recipe) is not None and recipe.isolation == "local"


def settings_of(config: Speed) -> dict[str, int]:
    """The backbone's options that are given.

    Raises:
        FFZooError: no such backbone, or it has no such option.
    """
    given = {"width": config.width, "depth": config.depth}
    chosen = {key: value for key, value in given.items() if value is not None}
    backbone_config(config.backbone, chosen)
    return chosen


def build(config: Speed, arm: Arm, precision: Literal["fp32", "bf16"], device: torch.device) -> Algorithm:
    """The untrained algorithm of an arm, on its device; the loop of ``bare`` has its ``train_step`` and no more.

    Raises:
        FFZooError: it does not fit the backbone.
    """
    import torch

    fit, shape = FitOptions(batch_size=config.batch_size), (config.channels, config.side, config.side)
    options = backbone_config(config.backbone, settings_of(config))
    if arm.kind.startswith("bare"):
        from ffzoo_experiments.speed.bare import Bare

        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(fit.seed)
            bare = Bare(options.width, options.depth, shape, config.classes, fit, precision == "bf16")
        return cast("Algorithm", bare.prepare(device, compiled=arm.kind == "bare compiled"))
    algorithm = create(arm.algo, config.backbone, shape, config.classes, fit=fit, backbone_config=options).to(device)
    algorithm.run_as(arm.execution(precision))
    algorithm.backbone.calibrate(batch_of(config, device).x)
    algorithm.training_state()  # makes the optimizers: what they import is not a step's
    return algorithm


def batch_of(config: Speed, device: torch.device) -> Batch:
    """Random images and labels, always the same."""
    import torch

    from ffzoo import Batch

    generator = torch.Generator().manual_seed(0)
    x = torch.randn(config.batch_size, config.channels, config.side, config.side, generator=generator)
    y = torch.randint(config.classes, (config.batch_size,), generator=generator)
    return Batch(x.to(device), y.to(device), generator=torch.Generator(device).manual_seed(0))


def changed(config: Speed, axis: str, value: int) -> Speed:
    """The same experiment at another depth, width, batch size or resolution."""
    fields = {"batch": "batch_size", "resolution": "side"}
    # Micro-batches do not fit every batch size, and no scaling measures all of them.
    return dataclasses.replace(config, **{fields.get(axis, axis): value}, micro_batches=())  # type: ignore[arg-type]
