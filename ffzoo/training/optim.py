"""One optimizer a block, so that no block's update knows of another."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from ffzoo.training.options import FitOptions

HEAD = "head"


def learning_rate_factor(fit: FitOptions, progress: float) -> float:
    """Factor of the learning rate at ``progress`` in [0, 1) of the run."""
    if progress < fit.warmup:
        return progress / fit.warmup
    rest = (progress - fit.warmup) / (1 - fit.warmup)
    if fit.schedule == "cosine":
        return 0.5 * (1 + math.cos(math.pi * rest))
    return 1 - rest if fit.schedule == "linear" else 1.0


class BlockOptimizers:
    """An optimizer for each block's parameters and one for the heads'.

    Args:
        blocks: the parameters of each block.
        heads: parameters that no block owns.
        fit: optimizer, learning rate, weight decay and schedule.
        head_lr: learning rate of the heads; that of the blocks by default.
    """

    def __init__(
        self,
        blocks: Iterable[Iterable[nn.Parameter]],
        heads: Iterable[nn.Parameter],
        fit: FitOptions,
        head_lr: float | None = None,
    ) -> None:
        self.fit = fit
        self._by_owner: dict[str, torch.optim.Optimizer] = {}
        for block, parameters in enumerate(blocks):
            self._add(str(block), parameters, fit.lr)
        self._add(HEAD, heads, head_lr or fit.lr)

    def _add(self, owner: str, parameters: Iterable[nn.Parameter], lr: float) -> None:
        trained = [p for p in parameters if p.requires_grad]
        if not trained:
            return
        groups = [
            {"params": [p for p in trained if p.dim() >= 2], "weight_decay": self.fit.weight_decay},
            {"params": [p for p in trained if p.dim() < 2], "weight_decay": 0.0},
        ]
        groups = [group for group in groups if group["params"]]
        if self.fit.optimizer == "sgd":
            optimizer: torch.optim.Optimizer = torch.optim.SGD(groups, lr=lr, fused=True)
        else:
            cls = {"adamw": torch.optim.AdamW, "adam": torch.optim.Adam}[self.fit.optimizer]
            optimizer = cls(groups, lr=lr, fused=True)
        for group in optimizer.param_groups:
            group["initial_lr"] = lr
        self._by_owner[owner] = optimizer

    def set_rate(self, factor: float) -> None:
        """Set every learning rate to ``factor`` of its initial value."""
        for optimizer in self._by_owner.values():
            for group in optimizer.param_groups:
                group["lr"] = group["initial_lr"] * factor

    def step(self, owner: int | str) -> None:
        """Update the parameters of one block, or of ``"head"``, and drop their gradients."""
        optimizer = self._by_owner.get(str(owner))
        if optimizer is not None:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)

    def state(self) -> dict[str, Tensor]:
        """Optimizer tensors by ``optimizer.<owner>.<parameter>.<name>``."""
        return {
            f"optimizer.{owner}.{index}.{name}": value
            for owner, optimizer in self._by_owner.items()
            for index, state in optimizer.state_dict()["state"].items()
            for name, value in state.items()
            if isinstance(value, Tensor)
        }

    def load_state(self, tensors: Mapping[str, Tensor]) -> None:
        """Restore what :meth:`state` returned; other keys are ignored."""
        for owner, optimizer in self._by_owner.items():
            state: dict[int, dict[str, Tensor]] = {}
            for key, value in tensors.items():
                kind, _, rest = key.partition(".")
                if kind == "optimizer" and rest.split(".")[0] == owner:
                    _, index, name = rest.split(".")
                    state.setdefault(int(index), {})[name] = value
            optimizer.load_state_dict(optimizer.state_dict() | {"state": state})
            for parameter, values in optimizer.state.items():
                for name, value in values.items():
                    # A fused step reads memory in order: moments must lie in memory as their weights do.
                    if isinstance(value, Tensor) and value.shape == parameter.shape:
                        values[name] = torch.empty_like(parameter, dtype=value.dtype).copy_(value)

    @staticmethod
    def owner(key: str) -> int | None:
        """The block of a key of :meth:`state`."""
        owner = key.split(".")[1]
        return None if owner == HEAD else int(owner)
