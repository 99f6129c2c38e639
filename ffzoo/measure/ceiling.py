"""Ceilings of this machine: how fast the very layers of a step run when each runs alone, and how fast memory is copied.

A peak rate from a data sheet says little of a convolution of few channels. Here every convolution and linear layer
of an algorithm is run alone, at the shapes, precision, memory format and micro-batch of its step: forward, the
gradient at its weights and, where a step needs it, the gradient at its input. The sum of their operations over the
sum of their best times is what a step could reach if nothing but these calls took time.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from ffzoo.algorithms.contract import Algorithm
from ffzoo.data.batch import Batch
from ffzoo.measure.clock import seconds
from ffzoo.measure.copying import copy_of

_REPEATS = 7
_LONG_ENOUGH = 2e-3  # seconds: shorter calls are timed several at a time
_COPIED = 2**28  # bytes: more than any cache holds


@dataclass(frozen=True)
class Call:
    """One call of a layer.

    Attributes:
        layer: the arguments of ``F.conv2d`` beside input, weight and bias; None for a linear layer.
        input: shape of the input.
        weight: shape of the weight.
        bias: whether there is one.
        input_gradient: a step needs the gradient at the input.
        weight_gradient: a step needs the gradient at the weight.
    """

    layer: tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...], int] | None
    input: tuple[int, ...]
    weight: tuple[int, ...]
    bias: bool
    input_gradient: bool
    weight_gradient: bool


@dataclass(frozen=True)
class Ceiling:
    """What the calls of a step take when each runs alone.

    Attributes:
        flops: floating-point operations of the calls.
        seconds: sum of their best times.
    """

    flops: int
    seconds: float

    @property
    def flops_per_second(self) -> float:
        """Operations per second, each call weighted by its time."""
        return self.flops / self.seconds


def layer_calls(algorithm: Algorithm, batch: Batch) -> list[Call]:
    """The calls of convolutions and linear layers in the forward pass of one training step on ``batch``.

    Found by hooks on a copy, while its losses are computed; for a rule without losses, while it predicts (or gives its
    features, before its probe is fitted), and then no call needs the gradient at its input.
    """
    twin = copy_of(algorithm).train()
    found: list[Call] = []

    def note(module: nn.Module, inputs: tuple[Any, ...]) -> None:
        assert isinstance(module, nn.Conv2d | nn.Linear)
        x: Tensor = inputs[0]
        layer = None
        if isinstance(module, nn.Conv2d):
            if isinstance(module.padding, str) or module.padding_mode != "zeros":
                return  # computed as something else first
            layer = (tuple(module.stride), tuple(module.padding), tuple(module.dilation), module.groups)
        weight = module.weight
        needs = x.requires_grad, weight.requires_grad
        found.append(Call(layer, tuple(x.shape), tuple(weight.shape), module.bias is not None, *needs))

    for module in twin.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            module.register_forward_pre_hook(note)
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        if twin.losses(batch) is None:
            found.clear()
            (twin.predict if twin.fitted else twin.features)(batch.x)
    return found


class Ceilings:
    """Measures ceilings; a call that several algorithms share is timed once.

    Args:
        device: where.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self._known: dict[tuple[Call, str, str], Ceiling] = {}

    def of(self, algorithm: Algorithm, batch: Batch) -> Ceiling | None:
        """The ceiling of one training step, in the precision, memory format and micro-batch of ``execution``.

        Args:
            algorithm: its layers are timed with random values.
            batch: the whole one; what is left of it after full micro-batches counts as a share of one.

        Returns:
            None for a network without convolutions and linear layers.
        """
        execution = algorithm.execution
        rows = execution.rows or len(batch.y)
        index = None if batch.index is None else batch.index[:rows]
        part = dataclasses.replace(batch, x=batch.x[:rows], y=batch.y[:rows], index=index)
        calls = layer_calls(algorithm, part)
        parts = [self._measured(c, execution.precision, execution.memory_format) for c in calls]
        if not parts:
            return None
        times = len(batch.y) / len(part.y)
        return Ceiling(round(times * sum(p.flops for p in parts)), times * sum(p.seconds for p in parts))

    def _measured(self, call: Call, precision: str, memory_format: str) -> Ceiling:
        key = call, precision, memory_format
        if key not in self._known:
            flops, took = 0, 0.0
            with torch.no_grad(), torch.random.fork_rng(devices=[]):
                for operation in _operations(call, precision, memory_format, self.device):
                    with FlopCounterMode(display=False) as counted:
                        operation()
                    flops += counted.get_total_flops()
                    took += _best(operation, self.device)
            self._known[key] = Ceiling(flops, took)
        return self._known[key]


def copy_bandwidth(device: torch.device) -> float:
    """Bytes per second, read and written, of a copy that no cache can hold."""
    # Ones: memory that was never written is one page of zeros, read from the cache again and again.
    source = torch.ones(_COPIED, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    return 2 * _COPIED / _best(lambda: target.copy_(source), device)


def _operations(call: Call, precision: str, memory_format: str, device: torch.device) -> Iterator[Callable[[], object]]:
    """Forward, and the gradients that a step needs, each alone."""
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    layout = torch.channels_last if memory_format == "channels_last" else torch.contiguous_format

    def values(*shape: int) -> Tensor:
        made = torch.randn(shape, device=device, dtype=dtype)
        return made.contiguous(memory_format=layout) if len(shape) == 4 else made

    x, weight = values(*call.input), values(*call.weight)
    bias = values(call.weight[0]) if call.bias else None
    if call.layer is None:
        yield lambda: F.linear(x, weight, bias)
        d = torch.randn_like(F.linear(x, weight))
        if call.weight_gradient:
            yield lambda: d.flatten(0, -2).T @ x.flatten(0, -2)
        if call.input_gradient:
            yield lambda: d @ weight
        return
    stride, padding, dilation, groups = call.layer
    yield lambda: F.conv2d(x, weight, bias, stride, padding, dilation, groups)
    d = torch.randn_like(F.conv2d(x, weight, None, stride, padding, dilation, groups))

    def backward(mask: list[bool]) -> object:
        zero, size = [0, 0], [call.weight[0]]
        return torch.ops.aten.convolution_backward(
            d, x, weight, size, stride, padding, dilation, False, zero, groups, mask
        )

    if call.weight_gradient:
        yield lambda: backward([False, True, False])
    if call.input_gradient:
        yield lambda: backward([True, False, False])


def _best(call: Callable[[], object], device: torch.device) -> float:
    """Seconds of one call: the best of several timings, short calls several at a time."""
    call()
    once = seconds(call, device)
    count = max(1, round(_LONG_ENOUGH / max(once, 1e-7)))

    def repeated() -> None:
        for _ in range(count):
            call()

    return min(seconds(repeated, device) for _ in range(_REPEATS)) / count
