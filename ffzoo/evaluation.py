"""Train, measure, test: ``python -m ffzoo.eval`` as a Python call."""

from __future__ import annotations

import dataclasses
import json
import math
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from ffzoo import environment
from ffzoo.algorithm import Algorithm, Batch, Metrics
from ffzoo.data.bundle import DataBundle, Loader, Preprocess, load_data
from ffzoo.errors import CheckpointError, OptionError, nearest
from ffzoo.measure.locality import probe
from ffzoo.measure.memory import step_cost
from ffzoo.plan import RunConfig, data_root, dataset_entry, make_run
from ffzoo.terminal import Reporter
from ffzoo.trained import CONFIG, build_algorithm, data_facts
from ffzoo.training import checkpoint
from ffzoo.training.fit import Part, Position, Stopwatch, accuracy, epoch_order, fit
from ffzoo.training.options import Execution

SCHEMA_VERSION = 1
RESULT, METRICS, PLAN = "result.json", "metrics.jsonl", "plan.json"
_PROBE_SAMPLES = 8
_CALIBRATION_STEPS = 20


@dataclass(frozen=True)
class RunResult:
    """One trained and tested run; the fields of ``result.json``. What was not measured is None.

    Attributes:
        schema_version: of this file.
        algo: name of the algorithm.
        dataset: name of the data set.
        backbone: name of the backbone.
        seed: of initial weights and data order.
        epochs: passes over the training part.
        num_classes: K.
        parameters: trained and untrained weights of backbone and algorithm.
        test_accuracy: fraction in [0, 1].
        validation_accuracy: fraction after the last epoch.
        per_block_accuracy: test accuracy of each block's own scores.
        fusion: name of the fusion.
        fusion_grad: ``detached`` or ``one_hop``.
        isolation: declared.
        coupling: declared.
        images_per_second: over all training work; loading, evaluation and the first steps excluded.
        peak_memory_bytes: of the process, or of the allocator on CUDA.
        saved_activation_bytes: peak bytes of distinct storages kept for a later backward in one step.
        wall_seconds: from the first step to the end of training, evaluation on the validation part included.
        train_flops: floating-point operations of matrix products and convolutions in training.
        blocks: number of blocks.
        max_weight_layers_per_block: most weight layers in one block.
        locality: ``structural`` and ``black_box``, as measured; structural is None without losses.
        strictly_local: every probe made, before training and after it, says so.
        device: what it ran on.
        precision: ``fp32`` or ``bf16``.
        split: how the parts of the data were made.
        data_sha256: hash of the data.
        test_reads: how often the test part was read.
        search_trials: settings tried before this one by the caller; None when unknown.
        versions: of the packages.
        git: commit of a source checkout.
        folder: the run folder; not part of the file.
    """

    algo: str
    dataset: str
    backbone: str
    seed: int
    epochs: int
    num_classes: int
    parameters: int
    test_accuracy: float
    validation_accuracy: float | None
    per_block_accuracy: list[float | None] | None
    fusion: str
    fusion_grad: str
    isolation: str
    coupling: str
    images_per_second: float | None
    peak_memory_bytes: int | None
    saved_activation_bytes: int | None
    wall_seconds: float
    train_flops: int | None
    blocks: int
    max_weight_layers_per_block: int
    locality: dict[str, bool | None]
    strictly_local: bool
    device: str
    precision: str
    split: str
    data_sha256: str
    versions: dict[str, str]
    git: str | None
    test_reads: int = 1
    search_trials: int | None = None
    schema_version: int = SCHEMA_VERSION
    folder: str | None = None

    @classmethod
    def read(cls, folder: Path) -> RunResult:
        """Read a finished run's ``result.json``.

        Raises:
            CheckpointError: missing, unreadable, or of another schema version.
        """
        data = checkpoint.read_json(folder / RESULT)
        if not isinstance(data, dict) or data.get("schema_version") != SCHEMA_VERSION:
            raise CheckpointError(f"{str(folder / RESULT)!r} is not a result of schema version {SCHEMA_VERSION}")
        try:
            return cls(**(data | {"folder": str(folder)}))
        except TypeError as error:
            raise CheckpointError(f"{str(folder / RESULT)!r} is not a result: {error}") from error


@dataclass(frozen=True)
class Gap:
    """Paired difference of two algorithms' test accuracies over seeds.

    Attributes:
        mean: first minus second, a fraction.
        low: lower end of the 95 % paired t interval; None for one seed.
        high: upper end.
        seeds: number of pairs.
    """

    mean: float
    low: float | None
    high: float | None
    seeds: int


@dataclass(frozen=True)
class Evaluation:
    """One algorithm's runs, one a seed, and those of the algorithm it was compared with.

    Attributes:
        runs: one a seed.
        against: the other algorithm's, with ``against=``.
        gap: paired difference to it.
    """

    runs: tuple[RunResult, ...]
    against: Evaluation | None = None
    gap: Gap | None = None

    @property
    def test_accuracy(self) -> float:
        """Mean over seeds, a fraction in [0, 1]."""
        return statistics.fmean(r.test_accuracy for r in self.runs)

    @property
    def test_accuracy_sd(self) -> float | None:
        """Standard deviation over seeds; None for one seed."""
        return statistics.stdev(r.test_accuracy for r in self.runs) if len(self.runs) > 1 else None

    @property
    def strictly_local(self) -> bool:
        """Whether every run was measured to be strictly local."""
        return all(r.strictly_local for r in self.runs)


def paired_gap(first: Sequence[float], second: Sequence[float]) -> Gap:
    """Mean of ``first - second`` with its 95 % paired t interval."""
    differences = [a - b for a, b in zip(first, second, strict=True)]
    mean, n = statistics.fmean(differences), len(differences)
    if n < 2:
        return Gap(mean, None, None, n)
    from scipy.stats import t

    half = float(t.ppf(0.975, n - 1)) * statistics.stdev(differences) / math.sqrt(n)
    return Gap(mean, mean - half, mean + half, n)


def evaluate(
    algo: str = "dtg_ff",
    dataset: str = "digits",
    *,
    backbone: str | None = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    seeds: int | Sequence[int] = 0,
    settings: Mapping[str, Any] | None = None,
    against: str | None = None,
    device: str = "auto",
    precision: str = "fp32",
    micro_batch: int = 0,
    checkpoint_blocks: bool = False,
    minutes: float = 0.0,
    data_dir: str | Path | None = None,
    out: str | Path | None = None,
    progress: bool = False,
) -> Evaluation:
    """Train an algorithm, measure its locality, speed and memory, and test it once.

    Args:
        algo: a registered algorithm.
        dataset: a registered data set, or ``folder:PATH``, ``npz:PATH``, ``medmnist:NAME``.
        backbone: a registered backbone or ``timm:NAME``; the data set's default when None.
        epochs: passes over the training part; the data set's default when None.
        batch_size: samples a step; the data set's default when None.
        seeds: one seed, or several for a mean and a standard deviation.
        settings: options by key, as after ``--set``: ``{"fit.lr": 0.01, "goodness.grid": 2}``.
        against: a second algorithm, trained on the same data with the same seeds.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        precision: ``fp32`` or ``bf16``.
        micro_batch: samples forwarded at once; 0 for the whole batch.
        checkpoint_blocks: recompute inner activations in backward.
        minutes: fit the epochs so that all runs together take about this long.
        data_dir: folder of the data sets; ``FFZOO_DATA`` or the cache folder when None.
        out: run folder; nothing is written when None.
        progress: show a plan, a progress bar and a table.

    Raises:
        FFZooError: a name, option or data set that cannot be used; nothing computed is lost.
    """
    execution = Execution(precision, micro_batch, checkpoint_blocks)  # type: ignore[arg-type]
    seeds = [seeds] if isinstance(seeds, int) else list(seeds)
    if not seeds or len(set(seeds)) < len(seeds):
        raise OptionError(f"seeds is {seeds}; expected at least one, each once")
    arms = [algo] if against is None else [algo, against]
    if len(set(arms)) < len(arms):
        raise OptionError(f"against is {against!r}, the algorithm itself; expected another one, such as 'bp'")
    runs = [
        make_run(
            name,
            dataset,
            backbone=backbone,
            epochs=epochs,
            batch_size=batch_size,
            seed=seed,
            settings=settings,
            execution=execution,
            device=device,
            minutes=minutes / (len(arms) * len(seeds)),
            shared_only=name != algo,
        )
        for name in arms
        for seed in seeds
    ]
    return run_all(runs, out=Path(out) if out is not None else None, data_dir=data_dir, progress=progress)


def resume(
    folder: str | Path,
    *,
    data_dir: str | Path | None = None,
    progress: bool = False,
    expect: Mapping[str, str | None] | None = None,
) -> Evaluation:
    """Go on with interrupted runs; finished ones are read, not run again.

    Args:
        folder: what ``out`` was.
        data_dir: folder of the data sets.
        progress: show a plan, a progress bar and a table.
        expect: names that the folder's runs must have, such as ``{"dataset": "cifar10"}``.

    Raises:
        CheckpointError: the folder holds no run, a corrupt one, or one of another name.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise CheckpointError(f"{str(folder)!r} is no folder; expected one that --out made")
    names = checkpoint.read_json(folder / PLAN)["runs"] if (folder / PLAN).exists() else ["."]
    runs = [RunConfig.from_json(checkpoint.read_json(folder / name / CONFIG)) for name in names]
    first = {"algo": runs[0].algorithm.name, "dataset": runs[0].dataset, "backbone": runs[0].backbone}
    for key, value in (expect or {}).items():
        if value is not None and value != first[key]:
            raise CheckpointError(f"{str(folder)!r} holds a run with {key} {first[key]!r}, not {value!r}")
    return run_all(runs, out=folder, data_dir=data_dir, progress=progress, resuming=True)


def run_all(
    runs: Sequence[RunConfig],
    *,
    out: Path | None,
    data_dir: str | Path | None = None,
    progress: bool = False,
    resuming: bool = False,
) -> Evaluation:
    """Run resolved configurations one after the other; the first algorithm's come first.

    Raises:
        FFZooError: see :func:`evaluate`.
        OSError: a file cannot be written.
    """
    reporter = Reporter(progress)
    folders = _folders(runs, out, resuming)
    device = _device(runs[0].device)
    data = _load(runs[0], data_dir).to(device)
    reporter.plan(runs, data, out, str(device))
    epochs: dict[str, int] = {}
    results: list[RunResult] = []
    for i, (config, folder) in enumerate(zip(runs, folders, strict=True)):
        if folder is not None and (folder / RESULT).exists():
            results.append(RunResult.read(folder))
            continue
        if config.minutes:
            name = config.algorithm.name
            if name not in epochs:
                epochs[name] = _fit_epochs(config, data, device)
                reporter.note(f"{name}: {epochs[name]} epochs fit into {config.minutes:.3g} minutes a run")
            config = dataclasses.replace(config.with_fit(epochs=epochs[name]), minutes=0.0)
        reporter.begin(config, i, len(runs))
        results.append(_run(config, data, device, folder, reporter))
    evaluation = _summary(results)
    reporter.table(evaluation)
    return evaluation


def _folders(runs: Sequence[RunConfig], out: Path | None, resuming: bool) -> list[Path | None]:
    """Make the run folders and write down what will be run, before anything is computed."""
    if out is None:
        return [None] * len(runs)
    folders = [out] if len(runs) == 1 else [out / config.label for config in runs]
    if resuming:
        return list(folders)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise OptionError(f"{str(out)!r} exists and is not empty; expected a new folder, or --resume {out}")
    for config, folder in zip(runs, folders, strict=True):
        folder.mkdir(parents=True, exist_ok=True)
        checkpoint.write_json(folder / CONFIG, config.to_json())
    if len(runs) > 1:
        checkpoint.write_json(out / PLAN, {"runs": [folder.name for folder in folders]})
    return list(folders)


def _load(config: RunConfig, data_dir: str | Path | None) -> DataBundle:
    entry, text = dataset_entry(config.dataset)
    target = entry.load()
    if text:
        loader: Loader = target(text)
    else:
        loader = target if config.dataset_config is None else partial(target, config.dataset_config)
    return load_data(config.dataset, loader, config.data, data_root(data_dir))


def _device(name: str) -> torch.device:
    found = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return torch.device(next(n for n in ("cuda", "mps", "cpu") if found[n]))
    if not found.get(name, False):
        there = [n for n, available in found.items() if available]
        raise OptionError(f"device {name!r} is not available here: {nearest(name, ['auto', *there])}")
    return torch.device(name)


def _preprocess(data: DataBundle, device: torch.device) -> Preprocess:
    return Preprocess(data.mean, data.std).to(device)


def _first_batch(data: DataBundle, preprocess: Preprocess, size: int, seed: int) -> Batch:
    device = data.train.labels.device
    part = Part(data.train.subset(torch.arange(min(size, len(data.train)))), preprocess, size)
    batch = next(iter(part))
    return dataclasses.replace(batch, generator=torch.Generator(device).manual_seed(seed))


def _fit_epochs(config: RunConfig, data: DataBundle, device: torch.device) -> int:
    """The epochs that fit into the time asked for; at least one."""
    algorithm = build_algorithm(config, data.shape, data.num_classes, device)
    preprocess = _preprocess(data, device)
    batch = _first_batch(data, preprocess, config.fit.batch_size, 0)
    watch = Stopwatch()
    for _ in range(_CALIBRATION_STEPS):
        watch.run(lambda: algorithm.train_step(batch), len(batch.y), device)
    start = time.perf_counter()
    algorithm.scores(batch.x)
    scoring = (time.perf_counter() - start) / len(batch.y)
    assert watch.images_per_second is not None
    held_out = len(data.validation) if data.validation is not None else 0
    epoch = len(data.train) / watch.images_per_second + held_out * scoring
    budget = config.minutes * 60 - len(data.test) * scoring
    return max(1, int(budget / (epoch * 1.05)))


def _probe(algorithm: Algorithm, batch: Batch) -> dict[str, bool | None]:
    found = probe(algorithm, batch)
    return {
        "structural": found.structural,
        "black_box": found.black_box,
        "strictly_local": found.strictly_local,
    }


def _run(
    config: RunConfig, data: DataBundle, device: torch.device, folder: Path | None, reporter: Reporter
) -> RunResult:
    algorithm = build_algorithm(config, data.shape, data.num_classes, device)
    preprocess = _preprocess(data, device)
    sample = _first_batch(data, preprocess, _PROBE_SAMPLES, config.fit.seed)
    position, measured = Position(0, Stopwatch()), {}
    if folder is not None:
        description = config.to_json() | {"data_facts": data_facts(data)} | _origin(device)
        checkpoint.write_json(folder / CONFIG, description)
    if folder is not None and (folder / checkpoint.TENSORS).exists():
        saved = checkpoint.load(folder, algorithm)
        position, measured = Position.from_json(saved["fit"]), saved["measured"]
        if saved["data_sha256"] != data.sha256:
            raise CheckpointError(f"{str(folder)!r} was trained on other data than {data.name} holds now")
        _truncate(folder / METRICS, position.epoch)
    else:
        measured["before"] = _probe(algorithm, sample)
        cost = step_cost(algorithm, _first_batch(data, preprocess, config.fit.batch_size, config.fit.seed))
        measured |= asdict(cost)
        if folder is not None:
            _truncate(folder / METRICS, 0)

    steps = len(epoch_order(len(data.train), config.fit.batch_size, config.fit.seed, 0))
    progress = reporter.progress(steps * config.fit.epochs, steps * position.epoch, config)

    def on_step(metrics: Metrics) -> None:
        progress.step(metrics)

    def save() -> None:
        if folder is not None:
            state = {"fit": position.to_json(), "measured": measured, "data_sha256": data.sha256}
            checkpoint.save(folder, algorithm, state)

    def on_epoch(means: dict[str, float]) -> None:
        if folder is not None:
            line = {"epoch": position.epoch} | means | {"wall_seconds": round(position.wall_seconds, 3)}
            with (folder / METRICS).open("a", encoding="utf-8") as file:
                file.write(json.dumps(line, allow_nan=False) + "\n")
        measured["validation_accuracy"] = means.get("validation_accuracy")
        save()
        progress.epoch(position.epoch, means)

    with progress:
        finished = position.finished
        fit(algorithm, data, preprocess, config.fit, position, on_step, on_epoch)
        if not finished:
            save()
    after = _probe(algorithm, sample)
    test_accuracy, per_block = accuracy(algorithm, Part(data.test, preprocess, 500))
    result = _result(config, data, algorithm, position, measured, after, test_accuracy, per_block, device, folder)
    if folder is not None:
        checkpoint.write_json(folder / RESULT, {k: v for k, v in asdict(result).items() if k != "folder"})
    return result


def _result(
    config: RunConfig,
    data: DataBundle,
    algorithm: Algorithm,
    position: Position,
    measured: dict[str, Any],
    after: dict[str, bool | None],
    test_accuracy: float,
    per_block: list[float | None] | None,
    device: torch.device,
    folder: Path | None,
) -> RunResult:
    before = measured["before"]
    backbone = algorithm.backbone
    steps = len(epoch_order(len(data.train), config.fit.batch_size, config.fit.seed, 0))
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
        fusion=algorithm.fusion,
        fusion_grad=algorithm.fusion_grad,
        isolation=algorithm.isolation,
        coupling=algorithm.coupling,
        images_per_second=position.watch.images_per_second,
        peak_memory_bytes=environment.peak_memory_bytes(str(device)),
        saved_activation_bytes=measured["saved_activation_bytes"],
        wall_seconds=position.wall_seconds,
        train_flops=measured["flops"] * steps * config.fit.epochs,
        blocks=backbone.depth,
        max_weight_layers_per_block=max(backbone.weight_layers(l) for l in range(backbone.depth)),
        locality=both,
        strictly_local=bool(before["strictly_local"] and after["strictly_local"]),
        device=str(device),
        precision=config.execution.precision,
        split=data.split,
        data_sha256=data.sha256,
        versions=environment.versions(),
        git=environment.git_commit(),
        folder=str(folder) if folder is not None else None,
    )


def _origin(device: torch.device) -> dict[str, Any]:
    return {
        "versions": environment.versions(),
        "git": environment.git_commit(),
        "hardware": environment.hardware(str(device)),
        "plugins": environment.plugins(),
    }


def _truncate(path: Path, epochs: int) -> None:
    """Keep the lines of the first ``epochs`` epochs: those after the checkpoint are trained again."""
    if path.exists():
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        checkpoint.write_text(path, "".join(lines[:epochs]))


def _summary(results: Sequence[RunResult]) -> Evaluation:
    names = list(dict.fromkeys(r.algo for r in results))
    arms = [tuple(r for r in results if r.algo == name) for name in names]
    if len(arms) == 1:
        return Evaluation(arms[0])
    gap = paired_gap([r.test_accuracy for r in arms[0]], [r.test_accuracy for r in arms[1]])
    return Evaluation(arms[0], Evaluation(arms[1]), gap)
