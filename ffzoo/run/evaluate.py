"""Train, measure, test: ``ffzoo train`` as a Python call."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from ffzoo.algorithms.given import Model, Rule
from ffzoo.errors import CheckpointError, OptionError
from ffzoo.run.amended import again, amend
from ffzoo.run.bring import bring, with_goodness
from ffzoo.run.folder import RunFolder
from ffzoo.run.observers import Observer, Observers, make_observer
from ffzoo.run.results import Evaluation, RunResult, summary
from ffzoo.run.runner import read_data, run_all
from ffzoo.run.spec import RunConfig, RunSpec
from ffzoo.run.terminal import ResultTable


def evaluate(
    algo: Rule = "dtg_ff",
    dataset: Any = "digits",
    *,
    backbone: Model | None = None,
    goodness: Any = None,
    epochs: int | None = None,
    minutes: float = 0.0,
    batch_size: int | None = None,
    seeds: int | Sequence[int] = (0,),
    settings: Mapping[str, Any] | None = None,
    against: Rule | Sequence[Rule] = (),
    device: str = "auto",
    precision: Literal["fp32", "bf16"] = "fp32",
    memory_format: Literal["channels_last", "contiguous"] = "channels_last",
    convolution: Literal["direct", "winograd"] = "direct",
    micro_batch: int | Literal["auto"] = 0,
    compile: bool = False,
    checkpoint_blocks: bool = False,
    data_dir: str | Path | None = None,
    out: str | Path | None = None,
    progress: bool = False,
    metrics: Sequence[str] = (),
    observers: Sequence[str | Observer] = (),
) -> Evaluation:
    """Train an algorithm, measure its locality, speed and memory, and test it once.

    The keywords are the fields of :class:`~ffzoo.run.spec.RunSpec`. The process is afterwards as it was, torch's random
    state included. On Linux steps are faster where freed memory is kept, as ``ffzoo train`` does: a program of your own
    may call :func:`ffzoo.run.environment.keep_freed_memory` once.

    Args:
        algo: a registered algorithm, a recipe, a function that returns one, or a class.
        dataset: a registered data set, or ``folder:PATH``, ``npz:PATH``, ``medmnist:NAME``; or data as
            :func:`ffzoo.fit <ffzoo.run.fitting.fit>` takes them. Of data without a test part a fifth is held out.
        backbone: a registered backbone or ``timm:NAME``, or a module or what makes one, as ``fit`` takes it; the data
            set's default when None. Every run begins with the weights that a module has; what makes one is called with
            the run's seed.
        goodness: a goodness in place of the recipe's: a name, options, a class, or a function ``h -> (B,)``.
        epochs: passes over the training set; the data set's default when None.
        minutes: fit the epochs so that all runs together take about this long; 0 leaves them as they are.
        batch_size: samples per step; the data set's default when None.
        seeds: one seed, or several for a mean and a standard deviation.
        settings: options by key, as after ``--set``: ``{"fit.lr": 0.01, "goodness.grid": 2}``.
        against: another algorithm, or several, trained on the same data with the same seeds.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        precision: ``fp32`` or ``bf16``, which is autocast of the blocks.
        memory_format: how maps lie in memory, ``channels_last`` or ``contiguous``.
        convolution: ``direct`` or ``winograd``, which is faster in fp32 on a CPU.
        micro_batch: samples forwarded at once; 0 for the whole batch; ``auto`` measures which size is fastest.
        compile: compile what a block does with ``torch.compile``.
        checkpoint_blocks: recompute inner activations in backward.
        data_dir: folder of the data sets; ``FFZOO_DATA`` or the cache folder when None.
        out: a new run folder; nothing is written when None.
        progress: show a plan, a progress bar and a table.
        metrics: registered metrics that are measured on the test set besides accuracy, such as ``"top5"``.
        observers: what else watches the runs: registered names, or observers.

    Raises:
        FFZooError: a name, option or data set that cannot be used; nothing computed is lost.
    """
    rivals = list(against) if isinstance(against, list | tuple) else [against]
    (first, *others), named, cut, batch_size = bring([algo, *rivals], dataset, backbone, batch_size)
    spec = RunSpec(
        algo=first,
        dataset=named,
        backbone=cut,
        epochs=epochs,
        minutes=minutes,
        batch_size=batch_size,
        seeds=(seeds,) if isinstance(seeds, int) else tuple(seeds),
        settings=with_goodness(settings, goodness),
        against=tuple(others),
        device=device,
        precision=precision,
        memory_format=memory_format,
        convolution=convolution,
        micro_batch=micro_batch,
        compile=compile,
        checkpoint_blocks=checkpoint_blocks,
        data_dir=None if data_dir is None else Path(data_dir),
        out=None if out is None else Path(out),
        progress=progress,
        metrics=tuple(metrics),
        observers=tuple(observers),
    )
    return carry_out(spec)


def carry_out(spec: RunSpec) -> Evaluation:
    """Train and test what a specification says, as :func:`evaluate` does.

    Raises:
        FFZooError: a name, option or data set that cannot be used; nothing computed is lost.
    """
    return run_all(spec.runs(), out=spec.out, data_dir=spec.data_dir, progress=spec.progress, observers=spec.observers)


def resume(
    folder: str | Path,
    *,
    data_dir: str | Path | None = None,
    progress: bool = False,
    observers: Sequence[str | Observer] = (),
    given: Mapping[str, Any] | None = None,
) -> Evaluation:
    """Go on with interrupted runs; finished ones are read, not run again, and need no data.

    Args:
        folder: what ``out`` was.
        data_dir: folder of the data sets.
        progress: show a plan, a progress bar and a table.
        observers: what else watches the runs: registered names, or observers.
        given: options again, as fields of :class:`~ffzoo.run.spec.RunSpec`: equal to what was stored, but for more
            ``epochs``, a ``dataset`` that has moved but holds the same, and the ``device``.

    Raises:
        CheckpointError: the folder holds no run or a corrupt one, or an option or the data are not what they were.
    """
    whole = RunFolder(folder)
    stored = [RunConfig.from_json(of_run.config()) for of_run in whole.runs()]
    runs = again(stored, given or {}, str(folder))
    if runs == stored and all(of_run.finished for of_run in whole.runs()):
        return _read(whole, observers, progress)
    if runs[0].dataset != stored[0].dataset:
        _refuse_other_data(whole, runs[0], data_dir)
    return run_all(runs, out=whole.path, data_dir=data_dir, progress=progress, resuming=True, observers=observers)


def _read(whole: RunFolder, observers: Sequence[str | Observer], progress: bool) -> Evaluation:
    """Return the results of runs that are all finished, whose data may be gone."""
    watched = Observers([*map(make_observer, observers), *([ResultTable()] if progress else [])])
    results = [RunResult.read(of_run.path) for of_run in whole.runs()]
    for result in results:
        watched.end(result)
    evaluation = summary(results)
    watched.close(evaluation)
    return evaluation


def _refuse_other_data(whole: RunFolder, run: RunConfig, data_dir: str | Path | None) -> None:
    """Check that data in another place are those of the runs.

    Raises:
        CheckpointError: they are not.
    """
    found = read_data(run, data_dir).sha256
    for of_run in whole.runs():
        facts = of_run.config().get("data_facts")
        if facts is not None and facts["sha256"] != found:
            raise CheckpointError(f"{str(of_run)!r} was trained on other data than {run.dataset} holds")


def train_from(run: str | Path, spec: RunSpec, said: Mapping[str, Any]) -> Evaluation:
    """Train on from the weights of another run, in a new folder.

    Its options are taken over where none are given; its optimizers, schedule and order are not.

    Args:
        run: its folder.
        spec: what is run: where it is written, and who watches.
        said: which fields of ``spec`` were given.

    Raises:
        FFZooError: a name, option or data set that cannot be used, or weights that do not fit.
    """
    folder = RunFolder(run)
    stored = RunConfig.from_json(folder.config())
    for key, value in {"algo": stored.algorithm.name, "backbone": stored.backbone}.items():
        if said.get(key, value) != value:
            raise OptionError(f"{key} is {said[key]!r}, but {str(run)!r} is a run of {value!r}; expected none")
    for key in ("against", "minutes"):
        if said.get(key):
            raise OptionError(f"{key} cannot be given with --from; expected a run of one algorithm, with epochs")
    wanted = [
        dataclasses.replace(amend(stored, said).with_fit(seed=seed), start=str(folder.path.resolve()))
        for seed in said.get("seeds", (stored.fit.seed,))
    ]
    return run_all(wanted, out=spec.out, data_dir=spec.data_dir, progress=spec.progress, observers=spec.observers)
