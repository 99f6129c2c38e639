"""Options of training, torch-free."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Ge, Gt, Interval

from ffzoo.errors import OptionError
from ffzoo.registry.options import options, require, to_text


@options
class FitOptions:
    """How an algorithm is trained; equal for all arms of a comparison.

    Attributes:
        epochs: passes over the training set.
        batch_size: samples per step.
        lr: learning rate of the blocks at the start.
        optimizer: one instance per block. ``muon`` orthogonalizes the momentum of filters, that is of weights with four
            dimensions, wherever they are (:class:`ffzoo.kernels.muon.Muon`); every other parameter has AdamW,
            matrices too.
        muon_lr: learning rate of the filters under ``muon``; ``lr`` is that of the rest.
        muon_momentum: momentum of the filters under ``muon``.
        filter_norm: under ``muon``, scale every layer's filters to the norm sqrt(number of filters) before each
            update, instead of weight decay; for networks whose norm layers make that scale irrelevant.
        weight_decay: of matrices and filters; biases and scalars have none.
        schedule: of the learning rate over the whole run, step by step.
        warmup: fraction of the run in which the learning rate rises linearly.
        label_smoothing: mass that the blocks' cross-entropies spread evenly over all classes.
        augment: steps of batchwise augmentation, in order; ``alternating_flip`` mirrors each image in every second
            epoch, ``flip`` at random.
        crop_padding: pixels of mirror image around an image that ``crop`` cuts from; 0 for an eighth of the shorter
            side.
        seed: of initial weights, data order and augmentation.
    """

    epochs: Annotated[int, Ge(1)] = 10
    batch_size: Annotated[int, Ge(1)] = 128
    lr: Annotated[float, Gt(0)] = 2e-3
    optimizer: Literal["adamw", "adam", "sgd", "muon"] = "adamw"
    muon_lr: Annotated[float, Gt(0)] = 0.2
    muon_momentum: Annotated[float, Interval(ge=0, lt=1)] = 0.6
    filter_norm: bool = False
    weight_decay: Annotated[float, Ge(0)] = 1e-4
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    warmup: Annotated[float, Interval(ge=0, lt=1)] = 0.0
    label_smoothing: Annotated[float, Interval(ge=0, lt=1)] = 0.0
    augment: tuple[Literal["crop", "flip", "alternating_flip", "cutout"], ...] = ()
    crop_padding: Annotated[int, Ge(0)] = 0
    seed: Annotated[int, Interval(ge=0, lt=2**31)] = 0

    def __post_init__(self) -> None:
        if self.filter_norm and self.optimizer != "muon":
            raise OptionError("fit.filter_norm=true needs fit.optimizer=muon")
        if self.crop_padding and "crop" not in self.augment:
            raise OptionError(f"fit.crop_padding={self.crop_padding} needs crop in fit.augment")
        for name in ("muon_lr", "muon_momentum"):
            default = type(self).__dataclass_fields__[name].default
            value = getattr(self, name)
            if self.optimizer != "muon" and value != default:
                raise OptionError(f"fit.{name}={to_text(value)} needs fit.optimizer=muon")


@options
class StepOptions:
    """How a step runs, as far as a user chooses it; never what it learns: the weights are the same to rounding.

    Attributes:
        precision: ``bf16`` runs blocks under autocast; goodness, losses and weights stay float32.
        memory_format: how maps lie in memory; convolutions and pooling are fastest with channels innermost.
        convolution: ``winograd`` computes 3x3 convolutions of at least 64 x 128 channels with fewer multiplications, to
            about 1e-5 of the result in fp32; it keeps about twice as much of a block's input for the backward pass. On
            CPUs alone: elsewhere convolutions are torch's own.
        micro_batch: samples forwarded at once; 0 for the whole batch; ``auto`` measures which size is fastest, once,
            before training.
        compile: compile what a block does with torch.compile, which needs a C++ compiler; takes a minute at the start.
        checkpoint_blocks: recompute a block's inner activations in its backward.
    """

    precision: Literal["fp32", "bf16"] = "fp32"
    memory_format: Literal["channels_last", "contiguous"] = "channels_last"
    convolution: Literal["direct", "winograd"] = "direct"
    micro_batch: int | Literal["auto"] = 0
    compile: bool = False
    checkpoint_blocks: bool = False

    def __post_init__(self) -> None:
        good = self.micro_batch == "auto" or self.micro_batch >= 0
        require(good, "micro_batch", self.micro_batch, "at least 0, or 'auto'")
        if self.convolution == "winograd":
            for name, needed in (("precision", "fp32"), ("compile", False), ("checkpoint_blocks", False)):
                if getattr(self, name) != needed:
                    raise OptionError(f"convolution=winograd needs {name}={to_text(needed)}")


@options
class Execution(StepOptions):
    """How a step runs: what a user chooses, and the engine's own switches.

    Attributes:
        streaming: backward inside the forward walk, where the isolation allows it.
        closed_form: blocks, goodness and losses that know their gradients learn without autograd.
    """

    streaming: bool = True
    closed_form: bool = True

    @property
    def rows(self) -> int:
        """Return the number of samples forwarded at once; 0 for the whole batch.

        Raises:
            OptionError: it is still to be measured.
        """
        if self.micro_batch == "auto":
            raise OptionError("micro_batch is 'auto', which a run measures before it trains; expected a number")
        return self.micro_batch
