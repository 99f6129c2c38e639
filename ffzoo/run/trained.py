"""A trained model back from its run folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ffzoo.algorithms.build import create
from ffzoo.algorithms.contract import Algorithm
from ffzoo.data.bundle import DataBundle, Preprocess
from ffzoo.data.options import AS_THEY_ARE, DataOptions
from ffzoo.errors import CheckpointError, DataError
from ffzoo.run.environment import resolve_device
from ffzoo.run.folder import CONFIG, RunFolder
from ffzoo.run.spec import RunConfig
from ffzoo.training.fit import averaged


def build_algorithm(config: RunConfig, shape: tuple[int, ...], num_classes: int, device: torch.device) -> Algorithm:
    """Return the untrained algorithm of a run, on its device."""
    algorithm = create(
        config.algorithm,
        config.backbone,
        shape,
        num_classes,
        fit=config.fit,
        backbone_config=config.backbone_config,
    ).to(device)
    algorithm.run_as(config.execution)
    return algorithm


def data_facts(data: DataBundle) -> dict[str, Any]:
    """Return what a trained model needs of the data, as JSON values for config.json."""
    return {
        "shape": list(data.shape),
        "num_classes": data.num_classes,
        "mean": list(data.mean),
        "std": list(data.std),
        "class_names": list(data.class_names),
        "pixels": data.train.pixels,
        "sha256": data.sha256,
        "split": data.split,
    }


class Trained(nn.Module):
    """A trained algorithm together with the preprocessing of its data.

    Attributes:
        algorithm: in evaluation mode.
        class_names: one per column of the scores.
        shape: of one input, ``(C, H, W)`` or ``(D,)``.
        pixels: inputs are uint8 pixels, not floating-point features.
        data_options: scores are averaged over the views that they say, as they were when it was tested.
    """

    def __init__(
        self,
        algorithm: Algorithm,
        preprocess: Preprocess,
        class_names: tuple[str, ...],
        shape: tuple[int, ...],
        pixels: bool,
        data_options: DataOptions = AS_THEY_ARE,
    ) -> None:
        super().__init__()
        self.algorithm, self.preprocess = algorithm.eval(), preprocess
        self.class_names, self.shape, self.pixels, self.data_options = class_names, shape, pixels, data_options

    def predict(self, images: Any, batch_size: int = 500) -> Tensor:
        """Return class scores of images as they are stored.

        Args:
            images: a tensor or array, uint8 ``(N, C, H, W)``, ``(N, H, W, C)`` or, with one channel,
                ``(N, H, W)``, at the size the model was trained on; floats of the same shapes, or ``(N, D)``,
                for a model that was trained on floats. One sample may come without N.
            batch_size: samples forwarded at once.

        Returns:
            Scores ``(N, K)`` on the CPU; ``argmax(1)`` is the predicted class.

        Raises:
            DataError: images of another shape or type than the model was trained on.
        """
        x = self._arrange(torch.as_tensor(images))
        device = next(self.algorithm.parameters()).device
        inputs = (self.preprocess(part.to(device)) for part in x.split(batch_size))
        return torch.cat([averaged(self.algorithm.predict, x, self.data_options).cpu() for x in inputs])

    def _arrange(self, x: Tensor) -> Tensor:
        shape, got = self.shape, tuple(x.shape)
        if x.is_floating_point() == self.pixels:
            kind = "uint8 pixels from 0 to 255" if self.pixels else "floating-point features"
            raise DataError(f"predict got {x.dtype} values; this model was trained on {kind}")
        for one in (False, True):
            batch = x[None] if one else x
            if tuple(batch.shape[1:]) == shape:
                return batch
            if len(shape) == 3 and batch.dim() == 4 and tuple(batch.shape[1:]) == (*shape[1:], shape[0]):
                return batch.permute(0, 3, 1, 2)
            if len(shape) == 3 and shape[0] == 1 and tuple(batch.shape[1:]) == shape[1:]:
                return batch[:, None]
        raise DataError(f"predict got an array of shape {got}; expected (N, {', '.join(map(str, shape))})")


def load(folder: str | Path, device: str = "cpu") -> Trained:
    """Load a finished or interrupted run.

    Args:
        folder: a run folder, with ``config.json`` and a checkpoint.
        device: where to put the model: ``auto``, ``cpu``, ``cuda`` or ``mps``.

    Raises:
        CheckpointError: the folder holds no run, or files that are corrupt or of another network.
    """
    run = RunFolder(folder)
    data = run.config()
    config = RunConfig.from_json(data).without_pretrained()
    try:
        facts = data["data_facts"]
        shape, names = tuple(facts["shape"]), tuple(facts["class_names"])
        where = resolve_device(device)
        preprocess = Preprocess(facts["mean"], facts["std"]).to(where)
        algorithm = build_algorithm(config, shape, facts["num_classes"], where)
    except KeyError as error:
        raise CheckpointError(f"{str(run.file(CONFIG))!r} has no {error}; expected that of a run") from error
    run.restore(algorithm, training=False)
    return Trained(algorithm, preprocess, names, shape, facts["pixels"], config.data)
