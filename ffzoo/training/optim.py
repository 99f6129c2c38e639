"""One optimizer a block, so that no block's update knows of another."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ffzoo.training.options import FitOptions

HEAD = "head"

# The flags that timm's Muon goes by. Without them it would choose by shape: AdamW at Muon's rate for filters
# of one channel, Muon for a readout's matrix.
_MUON_FILTERS: dict[str, Any] = {
    "use_muon": True,
    "nesterov": True,
    "ns_steps": 3,
    "ns_coefficients": (3.4445, -4.7750, 2.0315),
    "adjust_lr_fn": None,
}
_MUON_REST: dict[str, Any] = {"use_fallback": True, "nesterov": False, "betas": (0.9, 0.999), "eps": 1e-8}


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
        self._filters: dict[str, list[nn.Parameter]] = {}  # those whose norm is kept
        for block, parameters in enumerate(blocks):
            self._add(str(block), parameters, fit.lr)
        self._add(HEAD, heads, head_lr or fit.lr)

    def _add(self, owner: str, parameters: Iterable[nn.Parameter], lr: float) -> None:
        trained = [p for p in parameters if p.requires_grad]
        if not trained:
            return
        decay, muon = self.fit.weight_decay, self.fit.optimizer == "muon"
        filters = [p for p in trained if muon and p.dim() == 4]
        rest = [p for p in trained if not (muon and p.dim() == 4)]
        groups: list[dict[str, Any]] = [
            {"params": [p for p in rest if p.dim() >= 2], "weight_decay": decay},
            {"params": [p for p in rest if p.dim() < 2], "weight_decay": 0.0},
        ]
        if muon:
            groups = [_MUON_REST | group for group in groups]
            filter_decay = 0.0 if self.fit.filter_norm else decay
            groups.append(_MUON_FILTERS | {"params": filters, "lr": self.fit.muon_lr, "weight_decay": filter_decay})
        groups = [group for group in groups if group["params"]]
        if self.fit.optimizer == "sgd":
            optimizer: torch.optim.Optimizer = torch.optim.SGD(groups, lr=lr, fused=True)
        elif muon:
            from timm.optim.muon import Muon  # timm takes seconds to import, and only this needs it

            optimizer = Muon(groups, lr=lr, momentum=self.fit.muon_momentum)
        else:
            cls = {"adamw": torch.optim.AdamW, "adam": torch.optim.Adam}[self.fit.optimizer]
            optimizer = cls(groups, lr=lr, fused=True)
        for group in optimizer.param_groups:
            group["initial_lr"] = group["lr"]
        self._by_owner[owner] = optimizer
        self._filters[owner] = filters if self.fit.filter_norm else []

    def set_rate(self, factor: float, owner: int | None = None) -> None:
        """Set every learning rate, or those of one block, to ``factor`` of its initial value."""
        chosen = self._by_owner if owner is None else {str(owner)} & self._by_owner.keys()
        for optimizer in (self._by_owner[name] for name in chosen):
            for group in optimizer.param_groups:
                group["lr"] = group["initial_lr"] * factor

    def step(self, owner: int | str) -> None:
        """Update the parameters of one block, or of ``"head"``, and drop their gradients."""
        optimizer = self._by_owner.get(str(owner))
        if optimizer is not None:
            with torch.no_grad():
                for bank in self._filters[str(owner)]:
                    bank.mul_(len(bank) ** 0.5 / bank.norm().clamp(min=1e-12))
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
                    elif isinstance(value, Tensor):  # a step counter, which may be the caller's own
                        values[name] = value.clone()

    @staticmethod
    def owner(key: str) -> int | None:
        """The block of a key of :meth:`state`."""
        owner = key.split(".")[1]
        return None if owner == HEAD else int(owner)
