"""One optimizer per block, so that no block's update knows of another."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from ffzoo.algorithms.options import FitOptions
from ffzoo.kernels.muon import Muon

HEAD = "head"


def learning_rate_factor(fit: FitOptions, progress: float) -> float:
    """Return the factor of the learning rate at ``progress`` in [0, 1) of the run."""
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
        self._by_owner: dict[str, list[torch.optim.Optimizer]] = {}
        self._filters: dict[str, list[nn.Parameter]] = {}  # those whose norm is kept
        for block, parameters in enumerate(blocks):
            self._add(str(block), parameters, fit.lr)
        self._add(HEAD, heads, head_lr or fit.lr)

    def _add(self, owner: str, parameters: Iterable[nn.Parameter], lr: float) -> None:
        trained = [p for p in parameters if p.requires_grad]
        if not trained:
            return
        fit = self.fit
        filters = [p for p in trained if fit.optimizer == "muon" and p.dim() == 4]
        rest = [p for p in trained if fit.optimizer != "muon" or p.dim() != 4]
        groups = [
            {"params": [p for p in rest if p.dim() >= 2], "weight_decay": fit.weight_decay},
            {"params": [p for p in rest if p.dim() < 2], "weight_decay": 0.0},
        ]
        groups = [group for group in groups if group["params"]]
        optimizers: list[torch.optim.Optimizer] = []
        if groups:
            cls = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}.get(fit.optimizer, torch.optim.AdamW)
            optimizers.append(cls(groups, lr=lr, fused=True))
        if filters:
            decay = 0.0 if fit.filter_norm else fit.weight_decay
            optimizers.append(Muon(filters, lr=fit.muon_lr, momentum=fit.muon_momentum, weight_decay=decay))
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["initial_lr"] = group["lr"]
        self._by_owner[owner] = optimizers
        self._filters[owner] = filters if fit.filter_norm else []

    def set_rate(self, factor: float, owner: int | None = None) -> None:
        """Set every learning rate, or those of one block, to ``factor`` of its initial value."""
        chosen = self._by_owner if owner is None else {str(owner)} & self._by_owner.keys()
        for optimizer in (optimizer for name in chosen for optimizer in self._by_owner[name]):
            for group in optimizer.param_groups:
                group["lr"] = group["initial_lr"] * factor

    def step(self, owner: int | str) -> None:
        """Update the parameters of one block, or of ``"head"``, and drop their gradients."""
        with torch.no_grad():
            for bank in self._filters.get(str(owner), ()):
                bank.mul_(len(bank) ** 0.5 / bank.norm().clamp(min=1e-12))
        for optimizer in self._by_owner.get(str(owner), ()):
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)

    def state(self) -> dict[str, Tensor]:
        """Return optimizer tensors by ``optimizer.<owner>.<optimizer's number>.<parameter>.<name>``."""
        return {
            f"optimizer.{owner}.{number}.{index}.{name}": value
            for owner, optimizers in self._by_owner.items()
            for number, optimizer in enumerate(optimizers)
            for index, state in optimizer.state_dict()["state"].items()
            for name, value in state.items()
            if isinstance(value, Tensor)
        }

    def load_state(self, tensors: Mapping[str, Tensor]) -> None:
        """Restore what :meth:`state` returned; other keys are ignored."""
        states: dict[tuple[str, str], dict[int, dict[str, Tensor]]] = {}
        for key, value in tensors.items():
            kind, _, rest = key.partition(".")
            if kind == "optimizer":
                of_owner, of_number, index, name = rest.split(".")
                states.setdefault((of_owner, of_number), {}).setdefault(int(index), {})[name] = value
        for owner, optimizers in self._by_owner.items():
            for number, optimizer in enumerate(optimizers):
                optimizer.load_state_dict(optimizer.state_dict() | {"state": states.get((owner, str(number)), {})})
                for parameter, values in optimizer.state.items():
                    for name, value in values.items():
                        # A fused step reads memory in order: moments must lie in memory as their weights do.
                        if isinstance(value, Tensor) and value.shape == parameter.shape:
                            values[name] = torch.empty_like(parameter, dtype=value.dtype).copy_(value)
                        elif isinstance(value, Tensor):  # a step counter, which may be the caller's own
                            values[name] = value.clone()

    @staticmethod
    def owner(key: str) -> int | None:
        """Return the block of a key of :meth:`state`."""
        owner = key.split(".")[1]
        return None if owner == HEAD else int(owner)
