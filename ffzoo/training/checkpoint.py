"""Checkpoints: one safetensors file, moved into place whole; no pickle anywhere.

The tensors and the position they belong to travel in the same file (its metadata), so a kill between
two writes cannot pair the one with another epoch's other; ``state.json`` is its copy to read.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from ffzoo.algorithms.contract import Algorithm
from ffzoo.errors import CheckpointError, one_line
from ffzoo.files import replace_file, write_json
from ffzoo.parts.base import Fusion

TENSORS = "checkpoint.safetensors"
STATE = "state.json"


def _digest(tensors: dict[str, Tensor]) -> str:
    """Return a hash of names and bytes: safetensors itself would not notice a flipped bit."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        value = tensors[name]
        digest.update(f"{name}{value.dtype}{tuple(value.shape)}".encode())
        digest.update(value.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def save(folder: Path, algorithm: Algorithm, position: dict[str, Any]) -> None:
    """Save everything a run needs to go on, or to predict.

    Args:
        folder: the run folder.
        algorithm: its state dict and training state are saved.
        position: JSON values of the fit loop.

    Raises:
        OSError: the disk is full or the folder is not writable; the previous checkpoint is still whole.
    """
    extra, values = algorithm.training_state()
    tensors: dict[str, Tensor] = {}
    aliases: dict[str, str] = {}
    seen: dict[tuple[Any, ...], str] = {}
    for name, value in (_prefixed("model.", algorithm.state_dict()) | _prefixed("training.", extra)).items():
        # A tensor two modules share is stored once: safetensors refuses aliases.
        where = (value.data_ptr(), value.shape, value.stride(), value.dtype)
        if value.numel() and where in seen:
            aliases[name] = seen[where]
        else:
            seen[where] = name
            tensors[name] = value.detach().cpu().contiguous()
    state = {"position": position, "values": values, "aliases": aliases, "sha256": _digest(tensors)}
    path, metadata = folder / TENSORS, {"ffzoo": json.dumps(state, allow_nan=False)}
    try:
        replace_file(path, lambda temporary: save_file(tensors, temporary, metadata=metadata))
    except SafetensorError as error:  # how it reports a full disk
        raise OSError(f"{str(path)!r} cannot be written: {error}") from error
    write_json(folder / STATE, state)


def load(folder: Path, algorithm: Algorithm, training: bool = True) -> dict[str, Any]:
    """Restore an algorithm from its run folder.

    Args:
        folder: the run folder.
        algorithm: of the same network.
        training: restore what going on needs too; without it, what predicting needs.

    Returns:
        The position that was saved with it.

    Raises:
        CheckpointError: missing, truncated or altered files, or tensors of another network.
    """
    path = folder / TENSORS
    tensors, state = _read(path)
    try:
        algorithm.load_state_dict(_unprefixed("model.", tensors))
        if training:
            algorithm.load_training_state(_unprefixed("training.", tensors), state["values"])
    except (RuntimeError, KeyError, ValueError) as error:
        raise CheckpointError(f"{str(path)!r} belongs to another network or algorithm: {one_line(error)}") from error
    return dict(state["position"])


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return a checkpoint's tensors by name, and what was saved beside them.

    Raises:
        CheckpointError: a missing, truncated or altered file.
    """
    if not path.is_file():
        raise CheckpointError(f"{str(path)!r} does not exist; expected a run folder with a checkpoint")
    try:
        with safe_open(path, framework="pt") as file:
            state = json.loads((file.metadata() or {})["ffzoo"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}
    except (SafetensorError, ValueError, KeyError, OSError) as error:
        raise CheckpointError(
            f"{str(path)!r} is not a readable checkpoint ({error}); delete it to start that run again"
        ) from error
    if _digest(tensors) != state["sha256"]:
        raise CheckpointError(f"{str(path)!r} was altered after it was written; delete it to start that run again")
    tensors |= {name: tensors[original] for name, original in state["aliases"].items()}
    return tensors, state


def take_over(folder: Path, algorithm: Algorithm) -> list[str]:
    """Begin with the weights and buffers of another run; what training needs beyond them begins anew.

    Args:
        folder: of the other run.
        algorithm: gets every tensor that has its name and shape, but for a readout that is fitted after training.

    Returns:
        The tensors of the algorithm that keep their first values.

    Raises:
        CheckpointError: no readable checkpoint, or one without a tensor of this backbone.
    """
    tensors, _ = _read(folder / TENSORS)
    given, own = _unprefixed("model.", tensors), algorithm.state_dict()
    heads = [name for name, module in algorithm.named_modules() if isinstance(module, Fusion) and module.fits]
    taken = {
        name: value
        for name, value in given.items()
        if name in own and own[name].shape == value.shape and not any(name.startswith(f"{head}.") for head in heads)
    }
    if not any(name.startswith("backbone.") for name in taken):
        raise CheckpointError(
            f"{str(folder)!r} has no weights that fit this backbone; expected a run of the same network"
        )
    algorithm.load_state_dict(own | taken)
    return [name for name in own if name not in taken]


def _prefixed(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {prefix + name: value for name, value in tensors.items()}


def _unprefixed(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name[len(prefix) :]: value for name, value in tensors.items() if name.startswith(prefix)}
