"""Whether a model reads every pixel: one that cuts images into patches drops what is left at the border."""

from __future__ import annotations

import copy
import math
from typing import Any

import torch
from torch import Tensor, nn

from ffzoo.backbones.foreign import body, undisturbed

_NOTICED = 0.02  # share of an image


def unread(model: nn.Module, example: Tensor, name: str) -> tuple[str, ...]:
    """Say how much of an image a model never reads.

    A row or column of pixels is never read if the gradient of the output is exactly zero there. That is looked at in a
    copy with positive weights: the own ones may be zero at first, or leave a ReLU dead.

    Args:
        model: takes images; it stays as it is.
        example: images ``(B, C, H, W)``.
        name: of the model, for the message.

    Returns:
        A sentence with the remedy, or nothing.
    """
    if example.dim() != 4:
        return ()
    if not _leaves_a_rest(model, example[:1]):
        return ()
    with undisturbed(model), torch.enable_grad():
        other = positive(copy.deepcopy(model)).eval()
        x = example.detach()[:1].abs().requires_grad_(True)
        out = body(other, x.clone())  # a model may write into what it is given
        if not isinstance(out, Tensor) or not out.requires_grad:
            return ()
        weights = torch.linspace(-1, 2, out.numel(), device=out.device).view_as(out)
        gradient = torch.autograd.grad((out * weights).sum(), x)[0]
    seen = (gradient != 0).any(1)[0]
    rows, columns = seen.any(1), seen.any(0)
    share = 1 - float(rows.float().mean() * columns.float().mean())
    if share < _NOTICED:
        return ()
    height, width = seen.shape
    patch = next((m.stride[0] for m in model.modules() if isinstance(m, nn.Conv2d) and m.stride == m.kernel_size), 0)
    side = math.ceil(max(height, width) / patch) * patch if patch > 1 else 2 ** math.ceil(math.log2(max(height, width)))
    return (
        f"{name} never reads {100 * share:.0f} % of an image of {width}x{height} pixels, at its right and lower edge; "
        f"--set data.resize={side} lets it read all",
    )


def _leaves_a_rest(model: nn.Module, example: Tensor) -> bool:
    """Return whether a kernel that moves by more than one pixel stops short of a border, its padding included."""
    found: list[bool] = []

    def look(module: Any, inputs: tuple[Tensor, ...], output: object) -> None:
        for d in (0, 1):
            kernel, stride, padding, dilation = (
                value[d] if isinstance(value, tuple | list) else value
                for value in (module.kernel_size, module.stride, module.padding, getattr(module, "dilation", 1))
            )
            if not isinstance(padding, str) and kernel > 1 and stride > 1:
                size = inputs[0].shape[d - 2] + 2 * padding - dilation * (kernel - 1) - 1
                found.append(size % stride > padding)

    moving = (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d)
    handles = [m.register_forward_hook(look) for m in model.modules() if isinstance(m, moving)]
    try:
        with undisturbed(model), torch.no_grad():
            body(model.eval(), example.detach())
    finally:
        for handle in handles:
            handle.remove()
    return any(found)


@torch.no_grad()
def positive(model: nn.Module) -> nn.Module:
    """Return a model with random positive weights, each unit's of the sum 1."""
    generator = torch.Generator().manual_seed(0)
    for parameter in model.parameters():
        inputs = parameter[0].numel() if parameter.dim() > 1 else 1
        drawn = torch.rand(parameter.shape, generator=generator) + 0.5
        parameter.copy_(drawn / inputs)
    return model
