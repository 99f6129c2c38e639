"""A finished run tested again: on its own test set or on another data set, with every prediction kept."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ffzoo.data.bundle import DataBundle, RawData, load_data
from ffzoo.data.options import DataOptions
from ffzoo.errors import CheckpointError, DataError
from ffzoo.files import replace_text
from ffzoo.measure.metrics import CalibrationError, ConfusionMatrix, TopFive
from ffzoo.run.folder import RunFolder
from ffzoo.run.frames import data_frame
from ffzoo.run.runner import loader_of, read_data
from ffzoo.run.spec import RunConfig, data_root, dataset_entry
from ffzoo.run.trained import Trained, load
from ffzoo.training.fit import Part, accuracies


@dataclass(frozen=True, eq=False)
class Tested:
    """What a trained model does on a test set.

    Attributes:
        folder: the run.
        algo: name of the algorithm.
        dataset: what it was tested on.
        samples: how many; N.
        accuracy: fraction of right predictions in [0, 1].
        per_block_accuracy: the same of each block's own scores; None for a rule, or a block, without class scores.
        top5: fraction of samples whose class is among the five highest scores; None with five classes or fewer.
        calibration_error: expected calibration error of softmax(scores) over 15 bins, in [0, 1].
        confusion_matrix: counts ``(K, K)``, a row per true class, a column per predicted class.
        class_names: of the model, one per row and column.
        scores: ``(N, K)``, on the CPU.
        labels: classes of the model ``(N,)``, on the CPU.
        notes: what was done to the data so that the model could read them, one sentence each.
    """

    folder: str
    algo: str
    dataset: str
    samples: int
    accuracy: float
    per_block_accuracy: list[float | None] | None
    top5: float | None
    calibration_error: float
    confusion_matrix: list[list[int]]
    class_names: tuple[str, ...]
    scores: Tensor
    labels: Tensor
    notes: tuple[str, ...] = ()

    def predictions(self) -> list[dict[str, Any]]:
        """Return for each sample its ``index``, ``label``, what was ``predicted``, and with what ``confidence``."""
        confidence, predicted = self.scores.double().softmax(1).max(1)
        columns = (self.labels.tolist(), predicted.tolist(), confidence.tolist())
        return [
            {"index": n, "label": self.class_names[y], "predicted": self.class_names[p], "confidence": round(c, 6)}
            for n, (y, p, c) in enumerate(zip(*columns, strict=True))
        ]

    def write_csv(self, path: str | Path) -> None:
        """Write :meth:`predictions` as CSV.

        Raises:
            OSError: the file cannot be written.
        """
        text, rows = io.StringIO(), self.predictions()
        writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        replace_text(Path(path), text.getvalue())

    def to_dataframe(self) -> Any:
        """Return :meth:`predictions` as a ``pandas.DataFrame``.

        Raises:
            OptionError: pandas is not installed.
        """
        return data_frame(self.predictions())

    def confusions(self, most: int = 10) -> list[tuple[str, str, int]]:
        """Return the most frequent mistakes: true class, predicted class, how often."""
        pairs = [
            (self.class_names[y], self.class_names[p], count)
            for y, row in enumerate(self.confusion_matrix)
            for p, count in enumerate(row)
            if y != p and count
        ]
        return sorted(pairs, key=lambda pair: -pair[2])[:most]


class _Kept:
    """Keeps the scores and labels of all batches."""

    def __init__(self) -> None:
        self.scores: list[Tensor] = []
        self.labels: list[Tensor] = []

    def update(self, scores: Tensor, y: Tensor) -> None:
        self.scores.append(scores.float().cpu())
        self.labels.append(y.cpu())


def test(
    run: str | Path,
    dataset: str | None = None,
    *,
    data_dir: str | Path | None = None,
    device: str = "auto",
    batch_size: int = 500,
) -> Tested:
    """Test a finished run on its own test set, or on another data set.

    Another data set is tested on its test part, or on all of it where it has none. Its images are resized to those
    the model was trained on, its classes are matched by name, and pixels are scaled as they were in training; what was
    done is in ``notes``. The run folder stays as it is.

    Args:
        run: the run folder.
        dataset: a registered data set, or ``folder:PATH``, ``npz:PATH``, ...; the run's own when None.
        data_dir: folder of the data sets; ``FFZOO_DATA`` or the cache folder when None.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        batch_size: samples forwarded at once.

    Raises:
        CheckpointError: the folder holds no finished run.
        DataError: the data are missing, or are not such as the model can read.
    """
    folder = RunFolder(run)
    config = RunConfig.from_json(folder.config())
    if not folder.finished:
        done = f"{len(folder.metrics())} of {config.fit.epochs} epochs"
        raise CheckpointError(f"{str(run)!r} is not finished ({done}); expected a finished run: --resume {run} goes on")
    model = load(run, device)
    notes: list[str] = []
    if dataset in (None, config.dataset):
        data = read_data(config, data_dir)
        if data.sha256 != folder.config()["data_facts"]["sha256"]:
            notes.append(f"{data.name} holds other data than the run was trained on; some may have been trained on")
    else:
        assert dataset is not None
        data = _other_data(dataset, config.data, model, data_dir, notes)
    labels = _labels(data, model, notes)
    kept, top, calibration = _Kept(), TopFive(len(model.class_names)), CalibrationError(len(model.class_names))
    confusion = ConfusionMatrix(len(model.class_names))
    where = next(model.algorithm.parameters()).device
    part = Part(replace(data.test, labels=labels).to(where), model.preprocess, batch_size)
    seen = (kept, top, calibration, confusion)
    accuracy, per_block = accuracies(model.algorithm, part, model.data_options, seen)
    return Tested(
        folder=str(run),
        algo=config.algorithm.name,
        dataset=data.name,
        samples=len(data.test),
        accuracy=accuracy,
        per_block_accuracy=per_block,
        top5=top.compute() if len(model.class_names) > 5 else None,
        calibration_error=calibration.compute(),
        confusion_matrix=[[int(count) for count in row] for row in confusion.compute()],
        class_names=model.class_names,
        scores=torch.cat(kept.scores),
        labels=torch.cat(kept.labels),
        notes=tuple(notes),
    )


def _other_data(
    name: str, trained: DataOptions, model: Trained, data_dir: str | Path | None, notes: list[str]
) -> DataBundle:
    """Return a data set that the model was not trained on, at the size that it reads."""
    config_class = dataset_entry(name)[0].load_config()
    loader = loader_of(name, None if config_class is None else config_class())

    def read(root: Path, download: bool) -> RawData:
        raw = loader(root, download)
        if raw.test_images is None:
            notes.append(f"{name} has no test part of its own: all of it is tested on")
            raw = replace(raw, test_images=raw.train_images, test_labels=raw.train_labels)
        return raw

    options = DataOptions(validation=0, resize=trained.resize)
    data = load_data(name, read, options, data_root(data_dir))
    if data.shape != model.shape and len(data.shape) == len(model.shape) == 3 and model.shape[1] == model.shape[2]:
        if data.shape[0] == model.shape[0]:
            notes[:] = [f"images of {_sides(data.shape)} are resized to {_sides(model.shape)}"]
            data = load_data(name, read, replace(options, resize=model.shape[1]), data_root(data_dir))
    kind = "pixels" if model.pixels else "features"
    if data.shape != model.shape or data.test.pixels != model.pixels:
        got = f"{'pixels' if data.test.pixels else 'features'} of shape {_sides(data.shape)}"
        raise DataError(f"{name} has {got}; the model was trained on {kind} of shape {_sides(model.shape)}")
    return data


def _sides(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))


def _labels(data: DataBundle, model: Trained, notes: list[str]) -> Tensor:
    """Return the test labels as classes of the model.

    Raises:
        DataError: neither the names of the classes nor their number are the model's.
    """
    theirs, ours = data.class_names, model.class_names
    if theirs == ours:
        return data.test.labels
    if set(theirs) <= set(ours):
        notes.append(f"{len(theirs)} classes of {data.name} are matched with the model's {len(ours)} by their names")
        return torch.tensor([ours.index(name) for name in theirs])[data.test.labels]
    if len(theirs) == len(ours):
        notes.append(
            f"classes are matched by their number: {data.name} begins with {theirs[0]!r}, the model with {ours[0]!r}"
        )
        return data.test.labels
    unknown = next(name for name in theirs if name not in ours)
    raise DataError(
        f"{data.name} has {len(theirs)} classes, among them {unknown!r}; the model knows {len(ours)}, from {ours[0]!r} "
        f"to {ours[-1]!r}; expected classes of these names"
    )
