"""Train, measure and test resolved runs."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import torch

from ffzoo.algorithms.contract import Algorithm
from ffzoo.data.batch import Batch
from ffzoo.data.bundle import DataBundle, Loader, Preprocess, load_data
from ffzoo.data.own import own_bundle
from ffzoo.errors import CheckpointError, DataError
from ffzoo.measure.locality import probe
from ffzoo.measure.memory import step_cost
from ffzoo.measure.metrics import make_metrics
from ffzoo.measure.speed import fastest_micro_batch
from ffzoo.registry.brought import Brought
from ffzoo.run import environment
from ffzoo.run.folder import RunFolder
from ffzoo.run.observers import MetricsFile, Observer, Observers, Run, make_observer
from ffzoo.run.results import Evaluation, RunResult, summary
from ffzoo.run.spec import RunConfig, data_root, dataset_entry
from ffzoo.run.terminal import Progress, Reporter, ResultTable
from ffzoo.run.trained import build_algorithm, data_facts
from ffzoo.training.checkpoint import take_over
from ffzoo.training.fit import Part, Position, Stopwatch, accuracies, accuracy, averaged, fit, steps_per_epoch

_PROBE_VALUES = 2**15  # inputs of a probe's batch: locality shows on few samples, and many cuts are tried
_CALIBRATION_STEPS = 20


def run_all(
    runs: Sequence[RunConfig],
    *,
    out: Path | None,
    data_dir: str | Path | None = None,
    progress: bool = False,
    resuming: bool = False,
    curves: bool = True,
    observers: Sequence[str | Observer] = (),
) -> Evaluation:
    """Run resolved configurations one after the other; the first algorithm's come first.

    With ``curves`` the validation set is read after every epoch, else after the last alone; the results are the same.

    Raises:
        FFZooError: a data set or device that cannot be used; nothing computed is lost.
        OSError: a file cannot be written.
    """
    reporter = Reporter(progress)
    folders = _folders(runs, out, resuming)
    watching = [make_observer(chosen) for chosen in observers]
    device = environment.resolve_device(runs[0].device)
    with environment.random_state_kept(device):
        data = read_data(runs[0], data_dir).to(device)
        make_metrics(runs[0].metrics, data.num_classes)  # a name that nothing registered is refused now
        reporter.plan(runs, data, out, str(device))
        # Whatever cannot be built is refused before a folder exists, and every arm gets its epochs before any trains.
        for name, config in {run.algorithm.name: run for run in reversed(runs)}.items():
            built = config.without_pretrained() if resuming else config
            algorithm = build_algorithm(built, data.shape, data.num_classes, device)
            reporter.split(algorithm.backbone)
            if config.start and not resuming:
                reporter.taken(config.start, take_over(Path(config.start), algorithm))
            if config.execution.micro_batch == "auto":
                batch = _first_batch(data, _preprocess(data, device), config.fit.batch_size, config.fit.seed)
                execution = dataclasses.replace(config.execution, micro_batch=fastest_micro_batch(algorithm, batch))
                algorithm.execution = execution
                reporter.note(f"{name}: chunks of {execution.rows or config.fit.batch_size} samples are fastest here")
                runs = [dataclasses.replace(r, execution=execution) if r.algorithm.name == name else r for r in runs]
            if config.minutes:
                epochs = _fit_epochs(config, algorithm, data, device)
                reporter.note(f"{name}: {epochs} epochs fit into {config.minutes:.3g} minutes per run")
                runs = [_with_epochs(run, epochs) if run.algorithm.name == name else run for run in runs]
        if not resuming:
            _write_plan(runs, folders, out)
        if progress:
            steps = [_steps(config, data) * config.fit.epochs for config in runs]
            watching = [Progress(steps), *watching, ResultTable()]
        watched = Observers([MetricsFile(), *watching])
        evaluation: Evaluation | None = None
        try:
            results: list[RunResult] = []
            for config, folder in zip(runs, folders, strict=True):
                if folder is not None and folder.finished and folder.config()["fit"]["epochs"] >= config.fit.epochs:
                    results.append(RunResult.read(folder.path))
                else:
                    results.append(_OneRun(config, data, device, folder, watched).result(curves))
                watched.end(results[-1])
            evaluation = summary(results)
        finally:
            watched.close(evaluation)
        return evaluation


def _folders(runs: Sequence[RunConfig], out: Path | None, resuming: bool) -> list[RunFolder | None]:
    """Return where each run will be written; nothing is made yet."""
    if out is None:
        return [None] * len(runs)
    whole = RunFolder(out)
    if resuming:
        return [*whole.runs()]
    whole.refuse_if_used()
    return [whole] if len(runs) == 1 else [RunFolder(out / config.label) for config in runs]


def _write_plan(runs: Sequence[RunConfig], folders: Sequence[RunFolder | None], out: Path | None) -> None:
    """Make the run folders and write down what will be run, before anything is trained."""
    if out is None:
        return
    for config, folder in zip(runs, folders, strict=True):
        assert folder is not None
        folder.write_config(config.to_json())
    if len(runs) > 1:
        RunFolder(out).write_plan([config.label for config in runs])


def _steps(config: RunConfig, data: DataBundle) -> int:
    """Return the training steps per epoch."""
    return steps_per_epoch(data.train, config.fit)


def _with_epochs(config: RunConfig, epochs: int) -> RunConfig:
    return dataclasses.replace(config.with_fit(epochs=epochs), minutes=0.0)


def read_data(config: RunConfig, data_dir: str | Path | None = None, test: bool = True) -> DataBundle:
    """Return the data of a run, checked and split; without ``test`` none are held out for one that is not there.

    Raises:
        DataError: they are missing, or not what they should be.
    """
    if isinstance(config.dataset, Brought):
        return own_bundle(str(config.dataset), config.dataset.entry.load(), config.data, test)
    loader = loader_of(config.dataset, config.dataset_config)
    return load_data(config.dataset, loader, config.data, data_root(data_dir), hold_out=test)


def loader_of(dataset: str, config: Any) -> Loader:
    """Return what reads a data set, bound to the data set's own options; None where it has none.

    Raises:
        UnknownNameError: no such data set or source.
        DataError: data that were handed over in Python, which only that call can read.
    """
    if isinstance(dataset, Brought):
        raise DataError(f"{dataset} were handed over in Python and are not kept with the run; expected a data set")
    entry, text = dataset_entry(dataset)
    target = entry.load()
    if text:
        return target(text)
    return target if config is None else partial(target, config)


def _preprocess(data: DataBundle, device: torch.device) -> Preprocess:
    return Preprocess(data.mean, data.std).to(device)


def _first_samples(data: DataBundle, preprocess: Preprocess, size: int) -> Part:
    return Part(data.train.subset(torch.arange(min(size, len(data.train)))), preprocess, size)


def _first_batch(data: DataBundle, preprocess: Preprocess, size: int, seed: int) -> Batch:
    device = data.train.labels.device
    batch = next(iter(_first_samples(data, preprocess, size)))
    return dataclasses.replace(batch, generator=torch.Generator(device).manual_seed(seed))


def _fit_epochs(config: RunConfig, algorithm: Algorithm, data: DataBundle, device: torch.device) -> int:
    """Return the epochs that fit into the time asked for; at least one. It trains the algorithm it is given."""
    preprocess = _preprocess(data, device)
    batch = _first_batch(data, preprocess, config.fit.batch_size, 0)
    watch = Stopwatch()
    for _ in range(_CALIBRATION_STEPS):
        watch.run(lambda: algorithm.train_step(batch), len(batch.y), device)
    held_out = len(data.validation) if data.validation is not None and algorithm.fitted else 0
    if not algorithm.fitted:
        algorithm.finish(_first_samples(data, preprocess, config.fit.batch_size), None)
    start = time.perf_counter()
    averaged(algorithm.scores, batch.x, config.data)
    scoring = (time.perf_counter() - start) / len(batch.y)
    assert watch.images_per_second is not None
    epoch = len(data.train) / watch.images_per_second + held_out * scoring
    budget = config.minutes * 60 - len(data.test) * scoring
    return max(1, int(budget / (epoch * 1.05)))


class _OneRun:
    """One run from wherever it stands to its result.

    Args:
        config: what is run.
        data: on the device.
        device: of everything.
        folder: where it is written; None where nothing is.
        observer: sees it.
    """

    def __init__(
        self, config: RunConfig, data: DataBundle, device: torch.device, folder: RunFolder | None, observer: Observer
    ) -> None:
        self.data, self.device, self.folder, self.observer = data, device, folder, observer
        resumed = folder is not None and folder.resumable
        self.config = config.without_pretrained() if resumed or config.start else config
        self.algorithm = build_algorithm(self.config, data.shape, data.num_classes, device)
        self.preprocess = _preprocess(data, device)
        samples = max(2, min(8, _PROBE_VALUES // math.prod(data.shape)))
        self.probed = _first_batch(data, self.preprocess, samples, config.fit.seed)
        self.position, self.measured = Position(0, Stopwatch()), dict[str, Any]()
        if resumed:
            self._restore()
        else:
            if config.start:
                take_over(Path(config.start), self.algorithm)
            self._begin()

    def _begin(self) -> None:
        """Write down what is run, and measure what is measured before the first step."""
        if self.folder is not None:
            origin = {
                "versions": environment.versions(),
                "git": environment.git_commit(),
                "hardware": environment.hardware(self.device),
                "plugins": environment.plugins(),
            }
            facts = {"device": str(self.device), "data_facts": data_facts(self.data)}
            self.folder.write_config(self.config.to_json() | facts | origin)
        fit = self.config.fit
        self.measured["before"] = asdict(probe(self.algorithm, self.probed))
        batch = _first_batch(self.data, self.preprocess, fit.batch_size, fit.seed)
        self.measured |= asdict(step_cost(self.algorithm, batch))

    def _restore(self) -> None:
        """Go on from the checkpoint.

        Raises:
            CheckpointError: it cannot be read, or belongs to other data.
        """
        assert self.folder is not None
        saved = self.folder.restore(self.algorithm)
        self.position, self.measured = Position.from_json(saved["fit"]), saved["measured"]
        if saved["data_sha256"] != self.data.sha256:
            raise CheckpointError(f"{str(self.folder)!r} was trained on other data than {self.data.name} holds now")
        if self.position.epoch < self.config.fit.epochs:
            self.position.finished = False
            self.algorithm.extend(_steps(self.config, self.data) * self.config.fit.epochs)
        self.folder.reopen(self.config.to_json())

    def _save(self) -> None:
        if self.folder is not None:
            state = {"fit": self.position.to_json(), "measured": self.measured, "data_sha256": self.data.sha256}
            self.folder.save(self.algorithm, state)

    def _note_peak(self) -> None:
        before, now = self.measured.get("peak_memory_bytes"), environment.peak_memory_bytes(self.device)
        self.measured["peak_memory_bytes"] = max((p for p in (before, now) if p is not None), default=None)

    def _on_epoch(self, means: dict[str, float]) -> None:
        position = self.position
        self._note_peak()
        cost = {
            "train_seconds": round(position.watch.total, 3),
            "train_flops": self.measured["flops"] * _steps(self.config, self.data) * position.epoch,
            "wall_seconds": round(position.wall_seconds, 3),
        }
        try:
            self.observer.epoch(position.epoch, means | cost)
        finally:  # whatever an observer does, the epoch is not lost
            self._save()

    def result(self, curves: bool) -> RunResult:
        """Train to the end, test once, and write what came out."""
        config, data, algorithm = self.config, self.data, self.algorithm
        self.observer.start(Run(config, algorithm, self.folder, _steps(config, data), self.position.epoch))
        environment.reset_peak_memory(self.device)
        step, epoch = self.observer.step, self._on_epoch
        fit(algorithm, data, self.preprocess, config.fit, self.position, step, epoch, config.data, curves)
        self._note_peak()
        after = asdict(probe(algorithm, self.probed))
        batch_size = config.execution.rows or config.fit.batch_size
        if data.validation is not None:  # what was fitted after the last epoch counts
            held_out = Part(data.validation, self.preprocess, batch_size)
            self.measured["validation_accuracy"] = accuracy(algorithm, held_out, config.data)
        self.position.test_reads += config.data.test == "test"
        self._save()
        test = Part(data.test, self.preprocess, batch_size)
        metrics = make_metrics(config.metrics, data.num_classes)
        test_accuracy, per_block = accuracies(algorithm, test, config.data, tuple(metrics.values()))
        values = {name: metric.compute() for name, metric in metrics.items()}
        result = self._result(after, test_accuracy, per_block, values)
        if self.folder is not None:
            self.folder.write_result({k: v for k, v in asdict(result).items() if k != "folder"})
        return result

    def _result(
        self,
        after: dict[str, bool | None],
        test_accuracy: float,
        per_block: list[float | None] | None,
        metrics: dict[str, Any],
    ) -> RunResult:
        config, data, algorithm, measured = self.config, self.data, self.algorithm, self.measured
        before, backbone = measured["before"], algorithm.backbone
        both = {
            name: None if None in (before[name], after[name]) else bool(before[name] and after[name])
            for name in ("structural", "black_box")
        }
        return RunResult(
            algo=config.algorithm.name,
            dataset=config.dataset,
            backbone=config.backbone,
            seed=config.fit.seed,
            epochs=config.fit.epochs,
            num_classes=data.num_classes,
            parameters=sum(p.numel() for p in algorithm.parameters()),
            test_accuracy=test_accuracy,
            validation_accuracy=measured.get("validation_accuracy"),
            per_block_accuracy=per_block,
            metrics=metrics,
            fusion=algorithm.fusion,
            fusion_grad=algorithm.fusion_grad,
            isolation=algorithm.isolation,
            coupling=algorithm.coupling,
            images_per_second=self.position.watch.images_per_second,
            peak_memory_bytes=measured["peak_memory_bytes"],
            saved_activation_bytes=measured["saved_activation_bytes"],
            train_seconds=self.position.watch.total,
            wall_seconds=self.position.wall_seconds,
            train_flops=measured["flops"] * _steps(config, data) * config.fit.epochs,
            blocks=backbone.depth,
            max_weight_layers_per_block=max(backbone.weight_layers(l) for l in range(backbone.depth)),
            locality=both,
            strictly_local=bool(before["strictly_local"] and after["strictly_local"]),
            device=str(self.device),
            precision=config.execution.precision,
            split=data.split,
            data_sha256=data.sha256,
            test_reads=self.position.test_reads,
            versions=environment.versions(),
            git=environment.git_commit(),
            folder=str(self.folder) if self.folder is not None else None,
        )
