"""The contract of a backbone: an ordered list of blocks that can be walked one at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized

from ffzoo.errors import OptionError

Visit = Callable[[int, Any], Any]
"""Called with a block's index and its output; returns what the following block receives."""


class Backbone(nn.Module):
    """A network as an ordered list of blocks.

    A subclass implements :meth:`walk`, :meth:`owner`, :meth:`features` and :meth:`checkpoint_units` and
    sets the attributes below.

    Attributes:
        name: what messages and tables call it.
        input_shape: shape of one input, without the batch.
        feature_shapes: for each block the shape of one sample of :meth:`features`: ``(C, H, W)`` or
            ``(D,)``.
        normalized: the model has normalization layers of its own.
        copies_at_cuts: what a visitor passes on must not share memory with the block's output,
            because the next block may begin with an in-place operation. A plain ``detach()`` would then
            change, without an error, the very features a goodness has read.
        channels_second: what is passed on between blocks is ``(B, C, ...)`` or ``(B, D)``, not tokens.
        has_native_head: :meth:`native_head` can be called.
    """

    name: str
    input_shape: tuple[int, ...]
    feature_shapes: tuple[tuple[int, ...], ...]
    normalized: bool = False
    copies_at_cuts: bool = False
    channels_second: bool = True
    has_native_head: bool = False

    @property
    def closed_form(self) -> bool:
        """Whether every block is a layer and a ReLU; :meth:`block` and :meth:`weight_gradients` are then there."""
        return False

    def block(self, l: int, x: Tensor) -> Tensor:
        """Return the output of block ``l`` alone.

        Args:
            l: block index.
            x: what the block is given.
        """
        raise NotImplementedError

    def weight_gradients(self, l: int, x: Tensor, d: Tensor) -> list[Tensor]:
        """Return the gradients of block ``l``'s parameters, in the order of :meth:`block_parameters`, without autograd.

        Args:
            l: block index.
            x: what the block was given.
            d: gradient at the input of its ReLU.
        """
        raise NotImplementedError

    @property
    def depth(self) -> int:
        """Number of blocks."""
        return len(self.feature_shapes)

    def walk(self, x: Tensor, visit: Visit) -> None:
        """Run the network and stop after every block.

        Args:
            x: inputs, ``(B, *input_shape)``.
            visit: called as ``visit(l, out)`` after block ``l``; what it returns (same structure as
                ``out``) is fed into block ``l + 1``. Its last return value is ignored. A visitor
                resamples with :meth:`downsample` before it normalizes.
        """
        raise NotImplementedError

    def owner(self, name: str) -> int | None:
        """Block that owns a parameter or buffer.

        Args:
            name: the tensor's name in :meth:`state_dict`.

        Returns:
            The block's index; None for what no block owns, such as the model's own classifier.
        """
        raise NotImplementedError

    def features(self, l: int, out: Any) -> Tensor:
        """Return what a goodness reads of a block's output.

        Args:
            l: block index.
            out: output of the block, as :meth:`walk` hands it to the visitor.

        Returns:
            ``(B, C, H, W)`` or ``(B, D)``, with ``feature_shapes[l]`` after the batch.
        """
        raise NotImplementedError

    def checkpoint_units(self, l: int) -> list[nn.Module]:
        """Modules wholly inside block ``l`` whose forward may be computed again in the backward pass."""
        raise NotImplementedError

    def calibrate(self, x: Tensor) -> None:
        """Set what is computed from data and then stays as it is; nothing by default.

        Called once before the first step, with inputs of the training set.

        Args:
            x: inputs, ``(B, *input_shape)``.
        """

    def downsample(self, l: int, out: Any) -> Any:
        """Parameter-free resampling between blocks ``l - 1`` and ``l``; identity by default.

        Args:
            l: index of the block about to receive ``out``; ``depth`` and more are allowed.
            out: output of block ``l - 1``.

        Returns:
            The resampled output, same structure.
        """
        return out

    def native_head(self, out: Any) -> Tensor:
        """Return the model's own class scores.

        Args:
            out: output of the last block.

        Returns:
            Scores, ``(B, K)``.

        Raises:
            OptionError: the model has no head of its own (see ``has_native_head``).
        """
        raise OptionError(f"backbone {self.name!r} has no head of its own; expected a timm model")

    def forward(self, x: Tensor) -> Any:
        """Output of the last block, with nothing between the blocks but :meth:`downsample`.

        Args:
            x: inputs, ``(B, *input_shape)``.
        """
        last: list[Any] = [None]

        def visit(l: int, out: Any) -> Any:
            last[0] = out
            return self.downsample(l + 1, out)

        self.walk(x, visit)
        return last[0]

    def block_parameters(self, l: int) -> list[nn.Parameter]:
        """Return the parameters of block ``l``, each once, in the order of :meth:`named_parameters`."""
        return [p for name, p in self.named_parameters() if self.owner(name) == l]

    def weight_layers(self, l: int) -> int:
        """Return the number of modules of block ``l`` that have a weight of two or more dimensions."""
        layers = set()
        for name, p in self.named_parameters():
            # A parametrized weight (weight norm, ...) still counts as its layer's.
            path = name.split(".parametrizations.")
            holder, _, leaf = path[0].rpartition(".") if len(path) == 1 else (path[0], "", path[1])
            if "weight" in leaf and p.ndim >= 2 and self.owner(name) == l:
                layers.add(holder)
        return len(layers)

    def describe(self) -> str:
        """Return a table with one line per block: name, output shape, parameters, weight layers."""
        rows = [("block", "name", "output", "parameters", "weight layers")]
        for l in range(self.depth):
            size = sum(p.numel() for p in self.block_parameters(l))
            shape = "x".join(map(str, self.feature_shapes[l]))
            rows.append((str(l + 1), self.block_name(l), shape, f"{size:,}", str(self.weight_layers(l))))
        widths = [max(len(row[c]) for row in rows) for c in range(5)]
        lines = [f"{self.name}: {self.depth} blocks, input {'x'.join(map(str, self.input_shape))}"]
        for row in rows:
            left = (row[c].ljust(widths[c]) for c in range(3))
            right = (row[c].rjust(widths[c]) for c in range(3, 5))
            lines.append("  ".join((*left, *right)))
        outside = sum(p.numel() for name, p in self.named_parameters() if self.owner(name) is None)
        if outside:
            lines.append(f"{outside:,} parameters in no block")
        return "\n".join([*lines, self.split_note()])

    def block_name(self, l: int) -> str:
        """Return what :meth:`describe` calls block ``l``."""
        return f"blocks.{l}"

    def split_note(self) -> str:
        """Return whether the split was verified, in words."""
        return "split: by construction (a chain of blocks)"


def add_gradient(parameter: Tensor, gradient: Tensor) -> None:
    """Add to a parameter's ``.grad`` as a backward pass would."""
    if not parameter.requires_grad:
        return
    if parameter.grad is not None:
        parameter.grad.add_(gradient)
    elif gradient.dtype == parameter.dtype and gradient.stride() == parameter.stride():
        parameter.grad = gradient
    else:
        # A fused optimizer reads memory in order: a gradient must lie there as its parameter does.
        parameter.grad = torch.empty_like(parameter).copy_(gradient)


def seed(value: int, device: torch.device) -> None:
    """Seed torch's generators of the CPU and of one device; ``torch.manual_seed`` would seed those of every device."""
    torch.default_generator.manual_seed(value)
    if device.type == "cuda":
        with torch.cuda.device(device):
            torch.cuda.manual_seed(value)
    elif device.type == "mps":
        torch.mps.manual_seed(value)


def full_precision(h: Tensor) -> Tensor:
    """Half-precision features as float32, others as they are."""
    return h.float() if h.dtype in (torch.bfloat16, torch.float16) else h


def as_written(module: nn.Module) -> bool:
    """Return whether a module computes what its class says: no hooks, no replaced forward, no parametrized weights."""
    hooks: list[Any] = [
        module._forward_hooks,
        module._forward_pre_hooks,
        module._backward_hooks,
        module._backward_pre_hooks,
    ]
    for parameter in module.parameters(recurse=False):
        hooks += [parameter._backward_hooks, getattr(parameter, "_post_accumulate_grad_hooks", None)]
    return not (any(hooks) or "forward" in module.__dict__ or is_parametrized(module))
