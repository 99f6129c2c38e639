"""A trained model back from its run folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_map_only

from ffzoo.algorithms.build import create
from ffzoo.algorithms.contract import Algorithm
from ffzoo.algorithms.given import Model, given_backbone
from ffzoo.data.bundle import DataBundle, Preprocess
from ffzoo.data.options import AS_THEY_ARE, DataOptions
from ffzoo.data.own import labelled_batches
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
    """A trained algorithm together with the preprocessing of its data: images as they are stored in, classes out.

    As a module it maps a batch to scores, so that it goes where modules go: ``torch.export``, ONNX, torchmetrics. It is
    never in training mode: a forward pass changes nothing and keeps no graph.

    Attributes:
        algorithm: what was trained.
        class_names: one per column of the scores.
        shape: of one input, ``(C, H, W)`` or ``(D,)``.
        pixels: inputs are uint8 pixels, not floating-point features.
        data_options: scores are averaged over the views that they say, as they were when it was tested.
        config: what ``config.json`` of its folder holds.
        position: how far it was trained, as a checkpoint says it.
        history: of :func:`ffzoo.fit <ffzoo.run.fitting.fit>`, for each epoch the means of its steps' metrics.
    """

    def __init__(
        self,
        algorithm: Algorithm,
        preprocess: Preprocess,
        class_names: tuple[str, ...],
        shape: tuple[int, ...],
        pixels: bool,
        data_options: DataOptions = AS_THEY_ARE,
        config: Mapping[str, Any] | None = None,
        position: Mapping[str, Any] | None = None,
        history: Sequence[Mapping[str, float]] = (),
    ) -> None:
        super().__init__()
        self.algorithm, self.preprocess = algorithm, preprocess
        self.class_names, self.shape, self.pixels, self.data_options = class_names, shape, pixels, data_options
        self.config, self.position, self.history = dict(config or {}), dict(position or {}), tuple(history)
        self.eval()

    def forward(self, x: Tensor) -> Tensor:
        """Return class scores.

        Args:
            x: a batch ``(B, *shape)`` on the model's device: uint8 pixels, or floats for a model of floats.

        Returns:
            Scores ``(B, K)``, highest for the predicted class.
        """
        return averaged(self.algorithm.predict, self.preprocess(x), self.data_options)

    def predict(self, images: Any, batch_size: int = 500) -> Tensor:
        """Return the predicted classes of images as they are stored.

        Args:
            images: a tensor or array, uint8 ``(N, C, H, W)``, ``(N, H, W, C)`` or, with one channel,
                ``(N, H, W)``, at the size the model was trained on; floats of the same shapes, or ``(N, D)``,
                for a model that was trained on floats. One sample may come without N.
            batch_size: samples forwarded at once.

        Returns:
            Numbers of classes ``(N,)``, int64, on the CPU; ``class_names`` holds their names.

        Raises:
            DataError: images of another shape or type than the model was trained on.
        """
        return self._scores(images, batch_size).argmax(1)

    def predict_proba(self, images: Any, batch_size: int = 500) -> Tensor:
        """Return softmax(scores) of images ``(N, K)`` on the CPU; arguments and errors are those of :meth:`predict`.

        How well such probabilities agree with frequencies hangs on the rule; the metric ``calibration_error`` says it.
        """
        return self._scores(images, batch_size).softmax(1)

    def scores(self, images: Any, batch_size: int = 500) -> list[Tensor | None] | None:
        """Return each block's own scores of images.

        Arguments and errors are those of :meth:`predict`.

        Returns:
            For each block ``(N, K)`` on the CPU, or None for a block without scores; None for a rule whose blocks have
            none.
        """
        found = self._of(lambda x: averaged(self.algorithm.scores, x, self.data_options)[1], images, batch_size)
        if found[0] is None:
            return None
        return [None if block[0] is None else torch.cat(block) for block in zip(*found, strict=True)]

    def features(self, images: Any, batch_size: int = 500) -> list[Tensor]:
        """Return the features of each block, ``(N, C, H, W)`` or ``(N, D)``, on the CPU.

        Arguments and errors are those of :meth:`predict`.
        """
        return [torch.cat(block) for block in zip(*self._of(self.algorithm.features, images, batch_size), strict=True)]

    def score(self, x: Any, y: Any = None, batch_size: int = 500) -> float:
        """Return the accuracy, a fraction in [0, 1].

        Args:
            x: images as :meth:`predict` reads them; or, without ``y``, anything with labels that
                :func:`ffzoo.fit <ffzoo.run.fitting.fit>` takes: ``(x, y)``, a Dataset, a DataLoader.
            y: numbers of classes ``(N,)``.
            batch_size: samples forwarded at once.

        Raises:
            DataError: images or labels that do not fit the model, or each other.
        """
        right = total = 0
        for images, labels in labelled_batches(x, y, batch_size):
            right += int((self.predict(images, batch_size) == labels.cpu()).sum())
            total += len(labels)
        return right / total

    def save(self, folder: str | Path) -> None:
        """Save the model into a folder that :func:`ffzoo.load <ffzoo.run.trained.load>` reads.

        Args:
            folder: a new one, or one that was saved into before.

        Raises:
            CheckpointError: the folder holds a run.
        """
        run = RunFolder(folder)
        if run.begun and not run.config().get("saved"):
            raise CheckpointError(f"{str(folder)!r} holds a run; expected a new folder")
        run.write_config(self.config | {"saved": True})
        run.save(self.algorithm, self.position)

    def extra_repr(self) -> str:
        """Return what it reads and tells apart, and the blocks."""
        kind = "uint8 pixels" if self.pixels else "floats"
        sizes = "x".join(map(str, self.shape))
        return f"{sizes} {kind} -> {len(self.class_names)} classes\n{self.algorithm.backbone.describe()}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.extra_repr()})"

    def _scores(self, images: Any, batch_size: int) -> Tensor:
        read = partial(averaged, self.algorithm.predict, options=self.data_options)
        return torch.cat(self._of(read, images, batch_size))

    def _of(self, read: Callable[[Tensor], Any], images: Any, batch_size: int) -> list[Any]:
        """Return what ``read`` makes of each batch of images, on the CPU."""
        device = next(self.algorithm.parameters()).device
        parts = self._arrange(images).split(batch_size)
        return [tree_map_only(Tensor, Tensor.cpu, read(self.preprocess(part.to(device)))) for part in parts]

    def _arrange(self, images: Any) -> Tensor:
        try:
            x = torch.as_tensor(images)
        except (TypeError, ValueError, RuntimeError) as error:
            raise DataError(f"images are a {type(images).__name__}; expected an array or a tensor") from error
        shape, got = self.shape, tuple(x.shape)
        if x.is_floating_point() == self.pixels:
            kind = "uint8 pixels from 0 to 255" if self.pixels else "floating-point features"
            raise DataError(f"predict got {x.dtype} values; this model was trained on {kind}")
        if not self.pixels:
            x = x.float()
        for one in (False, True):
            batch = x[None] if one else x
            if tuple(batch.shape[1:]) == shape and len(batch):
                return batch
            if len(shape) == 3 and batch.dim() == 4 and tuple(batch.shape[1:]) == (*shape[1:], shape[0]):
                return batch.permute(0, 3, 1, 2)
            if len(shape) == 3 and shape[0] == 1 and tuple(batch.shape[1:]) == shape[1:]:
                return batch[:, None]
        raise DataError(f"predict got an array of shape {got}; expected (N, {', '.join(map(str, shape))})")


def load(folder: str | Path, device: str = "cpu", model: Model | None = None) -> Trained:
    """Load a finished or interrupted run, or a model that was saved.

    Args:
        folder: a run folder or a saved model, with ``config.json`` and a checkpoint.
        device: where to put the model: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        model: a module like the one that was trained, where that was one of the user's own: its code is not saved.

    Raises:
        CheckpointError: the folder holds no run, or files that are corrupt or of another network.
    """
    run = RunFolder(folder)
    data = run.config()
    config = RunConfig.from_json(data, None if model is None else given_backbone(model)).without_pretrained()
    try:
        facts = data["data_facts"]
        shape, names = tuple(facts["shape"]), tuple(facts["class_names"])
        where = resolve_device(device)
        preprocess = Preprocess(facts["mean"], facts["std"]).to(where)
        algorithm = build_algorithm(config, shape, facts["num_classes"], where)
    except KeyError as error:
        raise CheckpointError(f"{str(run.file(CONFIG))!r} has no {error}; expected that of a run") from error
    position = run.restore(algorithm, training=False)
    return Trained(algorithm, preprocess, names, shape, facts["pixels"], config.data, data, position)
