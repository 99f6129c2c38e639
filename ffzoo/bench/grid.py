"""Fair comparisons: arms x conditions x seeds, each arm with the same search, in parallel and resumable. No torch here.

Arms of one condition share everything but the algorithm: data, network, order, augmentation, optimizer, epochs,
precision and the number of learning rates tried. A grid in which anything else differs is refused. The search is part
of the comparison: multiples of an algorithm's own learning rate are tried with the first seed, validation accuracy
chooses, and the test set is read once for each trained cell.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import math
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ffzoo.algorithms.options import Execution
from ffzoo.bench.study import MissingCell, Scratch, Study
from ffzoo.errors import CheckpointError, DataError, DivergedError, FFZooError, OptionError
from ffzoo.run.folder import RunFolder
from ffzoo.run.spec import RunConfig, make_run

if TYPE_CHECKING:
    from ffzoo.run.results import RunResult

SCHEMA_VERSION = 2

_NUMBERS = ("test_accuracy", "lr", "train_seconds")
_KEYS = (
    *("schema_version", "seed", "test_accuracy", "validation_accuracy", "per_block_accuracy", "lr", "isolation"),
    *("coupling", "strictly_local", "blocks", "max_weight_layers_per_block", "train_seconds", "train_flops"),
    *("saved_activation_bytes", "test_reads", "split", "config_sha256"),
)

# Options that came after the first studies, with the values at which a run is what it was without them.
_ADDED: dict[str, dict[str, Any]] = {
    "algorithm": {"depth_weights": "equal"},
    "data": {"test_shift": 0, "channels": None, "oblong": "crop", "workers": None},
    "execution": {"convolution": "direct"},
}


@dataclass(frozen=True)
class Arm:
    """One side of a comparison.

    Attributes:
        name: in tables and figures.
        algo: a registered algorithm.
        settings: options of the algorithm alone.
    """

    name: str
    algo: str
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Condition:
    """What all arms are compared on.

    Attributes:
        name: in tables.
        dataset: a registered data set.
        settings: ``data.``, ``backbone.`` and ``fit.`` options, the same for all arms.
        x: where it lies on the axis of a trend; None where there is none.
        per_seed: options that take the seed as their value: another subset, or another teacher, a seed.
        series: which line of a figure it belongs to.
    """

    name: str
    dataset: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    x: float | None = None
    per_seed: tuple[str, ...] = ()
    series: str = ""


@dataclass(frozen=True)
class Grid:
    """Arms x conditions x seeds.

    Attributes:
        arms: at least one.
        conditions: at least one.
        seeds: of initial weights and order.
        factors: learning rates to try, as multiples of an algorithm's own; of Muon's rate too, where it is used.
        backbone: a registered one; the data set's when None.
        epochs: passes over the training set; the data set's when None.
        batch_size: samples per step; the data set's when None.
        precision: of the blocks.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        search: ``data.`` and ``fit.`` options of the search alone, the same for all arms: a smaller training set.
        matched_epochs: condition -> arm -> epochs, of a comparison at equal operations instead of equal epochs.
        further: measures more of a trained algorithm, given that, its data and their preprocessing; stored in the cell
            under ``"further"``. A function of a module, so that processes can call it.
    """

    arms: tuple[Arm, ...]
    conditions: tuple[Condition, ...]
    seeds: tuple[int, ...]
    factors: tuple[float, ...] = (1.0,)
    backbone: str | None = None
    epochs: int | None = None
    batch_size: int | None = None
    precision: str = "fp32"
    device: str = "auto"
    search: Mapping[str, Any] = field(default_factory=dict)
    matched_epochs: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    further: Callable[..., dict[str, Any]] | None = None


@dataclass(frozen=True)
class Found:
    """What a grid's cells hold.

    Attributes:
        runs: condition -> arm -> seed -> the cell.
        factors: condition -> arm -> the factor that the search chose.
        left_out: why cells are missing, one line each.
    """

    runs: dict[str, dict[str, dict[int, dict[str, Any]]]]
    factors: dict[str, dict[str, float]]
    left_out: tuple[str, ...]

    def accuracies(self, condition: str, arm: str, seeds: Sequence[int]) -> list[float]:
        """Test accuracies of the given seeds, fractions."""
        return [self.runs[condition][arm][seed]["test_accuracy"] for seed in seeds]

    def shared_seeds(self, condition: str, arms: Sequence[str]) -> list[int]:
        """Seeds that all of the arms have a cell for."""
        of_arms = [set(self.runs.get(condition, {}).get(arm, {})) for arm in arms]
        return sorted(set.intersection(*of_arms)) if of_arms else []


def planned(grid: Grid, condition: Condition, arm: Arm, seed: int, factor: float, search: bool) -> RunConfig:
    """Return the resolved run of one cell.

    Raises:
        OptionError: an arm sets what is not its algorithm's.
        FFZooError: an unknown name or option.
    """
    for key in arm.settings:
        if key.partition(".")[0] in ("fit", "backbone", "data"):
            raise OptionError(
                f"arm {arm.name!r} sets {key} for itself alone: unfair; expected it among the condition's"
            )
    settings = {**condition.settings, **{key: seed for key in condition.per_seed}}
    run = make_run(
        arm.algo,
        condition.dataset,
        backbone=grid.backbone,
        epochs=grid.matched_epochs.get(condition.name, {}).get(arm.name, grid.epochs),
        batch_size=grid.batch_size,
        seed=seed,
        settings={**settings, **arm.settings, **({**grid.search, "data.test": "validation"} if search else {})},
        execution=Execution(precision=grid.precision),  # type: ignore[arg-type]
        device=grid.device,
    )
    rates = {"lr": factor * run.fit.lr}
    if run.fit.optimizer == "muon":
        rates["muon_lr"] = factor * run.fit.muon_lr
    return run.with_fit(**rates)


def refuse_unfair(runs: Mapping[str, RunConfig], matched: bool = False) -> None:
    """Check that the arms of one condition, seed and factor differ in their algorithm alone.

    Args:
        runs: arm -> its run.
        matched: they are compared at equal operations, so their epochs may differ.

    Raises:
        OptionError: they differ in something else, which is named.
    """
    (first, reference), *others = ((name, _shared(run)) for name, run in runs.items())
    for name, values in others:
        for key in {**reference, **values}:
            if reference.get(key) != values.get(key) and not (matched and key == "fit.epochs"):
                raise OptionError(
                    f"{first} has {key} = {reference.get(key)!r} and {name} has {values.get(key)!r}: an unfair "
                    f"comparison; expected the same for all arms: say {key}"
                )


def _shared(run: RunConfig) -> dict[str, Any]:
    """Return everything of a run but its algorithm and the learning rate, which is searched; flat."""
    flat: dict[str, Any] = {}
    for key, value in run.to_json().items():
        if key in ("algo", "algorithm"):
            continue
        flat |= {f"{key}.{k}": v for k, v in value.items()} if isinstance(value, dict) else {key: value}
    del flat["fit.lr"]
    return flat


def run_grid(grid: Grid, study: Study, workers: int = 1) -> Found:
    """Search, then train every cell that the study does not hold yet.

    Args:
        grid: what to compare.
        study: keeps the cells; one that only reads leaves out what is missing.
        workers: processes that train cells side by side.

    Raises:
        OptionError: the comparison would be unfair.
        FFZooError: a run cannot be made at all, because of the data for example.
    """
    for condition in grid.conditions:
        whole = {arm.name: planned(grid, condition, arm, grid.seeds[0], 1.0, False) for arm in grid.arms}
        refuse_unfair(whole, condition.name in grid.matched_epochs)
    pairs = [(condition, arm) for condition in grid.conditions for arm in grid.arms]
    searched = len(grid.factors) > 1
    study.expect(len(pairs) * (len(grid.seeds) + (len(grid.factors) if searched else 0)))
    left_out: list[str] = []
    trials = {
        _trial(condition, arm, factor): planned(grid, condition, arm, grid.seeds[0], factor, True)
        for condition, arm in pairs
        for factor in (grid.factors if searched else ())
    }
    tried = train(study, trials, workers, left_out)
    factors: dict[str, dict[str, float]] = {}
    runs: dict[str, RunConfig] = {}
    for condition, arm in pairs:
        scores = {f: tried.get(_trial(condition, arm, f), {}).get("test_accuracy") for f in grid.factors}
        known = {f: score for f, score in scores.items() if score is not None}
        if searched and not known:
            left_out.append(f"{condition.name}, {arm.name}: no learning rate could be tried")
            continue
        best = max(known, key=lambda f: known[f]) if searched else grid.factors[0]
        factors.setdefault(condition.name, {})[arm.name] = best
    # A whole comparison first, then the next seed: an interrupted study has gaps to show.
    for condition, seed, arm in itertools.product(grid.conditions, grid.seeds, grid.arms):
        best_of = factors.get(condition.name, {})
        if arm.name in best_of:
            runs[_final(condition, arm, seed)] = planned(grid, condition, arm, seed, best_of[arm.name], False)
    cells = train(study, runs, workers, left_out, grid.further)
    found: dict[str, dict[str, dict[int, dict[str, Any]]]] = {}
    for condition, arm in pairs:
        of_arm = {seed: cells[key] for seed in grid.seeds if (key := _final(condition, arm, seed)) in cells}
        found.setdefault(condition.name, {})[arm.name] = of_arm
    return Found(found, factors, tuple(left_out))


def _trial(condition: Condition, arm: Arm, factor: float) -> str:
    return f"{condition.name}, {arm.name}: rate x {factor:g}"


def _final(condition: Condition, arm: Arm, seed: int) -> str:
    return f"{condition.name}, {arm.name}: seed {seed}"


def train(
    study: Study,
    runs: Mapping[str, RunConfig],
    workers: int,
    left_out: list[str],
    further: Callable[..., dict[str, Any]] | None = None,
) -> dict[str, Any]:
    """Return the cells of some runs, trained where the study does not hold them yet.

    Args:
        study: keeps the cells.
        runs: key -> what to train.
        workers: processes that train side by side.
        left_out: gets a line for each cell that cannot be averaged: missing, wrong, refused, of another configuration.
        further: see :class:`Grid`.
    """

    def wrong(key: str, cell: Any) -> str | None:
        reason = why_invalid(cell)
        if reason is None and cell["config_sha256"] != fingerprint(runs[key]):
            reason = "it was trained with another configuration"
        if reason is None and further is not None and "refused" not in cell and "further" not in cell:
            reason = "key 'further' is missing"
        return reason

    if not study.reads_only:
        for key, run in runs.items():
            _adopt(study.scratch(key), key, run)
    tasks = {key: partial(train_cell, run.to_json(), further, scratch=study.scratch(key)) for key, run in runs.items()}
    cells: dict[str, Any] = {}
    for key, value in study.cells(tasks, workers, valid=wrong).items():
        if isinstance(value, MissingCell):
            left_out.append(f"{key}: {value.reason}")
        elif "refused" in value:
            left_out.append(f"{key}: {value['refused']}")
        else:
            cells[key] = value
    return cells


def _adopt(scratch: Scratch | None, key: str, run: RunConfig) -> None:
    """Rename the checkpoint of an unfinished cell that an earlier version kept under a name two cells could share."""
    if scratch is None or scratch.folder.exists():
        return
    former = RunFolder(scratch.root / re.sub(r"[^\w.=-]", "_", key))
    with contextlib.suppress(FFZooError):  # a cell whose folder cannot be read is begun anew
        if former.begun and fingerprint(RunConfig.from_json(former.config())) == fingerprint(run):
            former.path.rename(scratch.folder)


def fingerprint(run: RunConfig) -> str:
    """Of everything that a cell is trained with, the device aside; an option that is newer keeps what was before."""
    config = {key: value for key, value in run.to_json().items() if key != "device"}
    for group, added in _ADDED.items():
        config[group] = {key: value for key, value in config[group].items() if added.get(key, ...) != value}
    return hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()[:16]


def trained_run(
    run: RunConfig, folder: Path | None = None, *, curves: bool = False, progress: bool = False
) -> RunResult:
    """Return the result of one run of a study, going on where its folder holds a run that has begun.

    Args:
        run: what is trained.
        folder: of the run; nothing is kept when None.
        curves: read the validation set after every epoch.
        progress: show a plan, a progress bar and a table.

    Raises:
        FFZooError: see :func:`ffzoo.run.runner.run_all`.
    """
    from ffzoo.run.folder import RunFolder
    from ffzoo.run.runner import run_all

    begun = folder is not None and RunFolder(folder).begun
    (result,) = run_all([run], out=folder, progress=progress, resuming=begun, curves=curves).runs
    return result


def train_cell(
    config: dict[str, Any],
    further: Callable[..., dict[str, Any]] | None = None,
    *,
    scratch: Scratch | None = None,
) -> dict[str, Any]:
    """Train and test one run, going on from its checkpoint; or say why it was refused.

    A checkpoint that cannot be read is thrown away, and the cell begun anew.

    Args:
        config: of the run.
        further: measures more of what was trained.
        scratch: where its checkpoint is kept; nothing is kept when None.

    Raises:
        DataError: the data are missing: that is no refusal of the algorithm's.
        OptionError: the device is not there.
    """
    from ffzoo.run import environment
    from ffzoo.run.folder import RunFolder
    from ffzoo.run.runner import read_data

    if scratch is None and further is not None:
        with tempfile.TemporaryDirectory() as kept:  # what is measured further is read from a checkpoint
            return train_cell(config, further, scratch=Scratch(Path(kept), "run"))
    run = RunConfig.from_json(config)
    environment.resolve_device(run.device)
    folder = None if scratch is None else scratch.folder
    begun = folder is not None and RunFolder(folder).begun
    if scratch is not None and not begun:
        scratch.clear()  # killed before anything was trained
    try:
        result = trained_run(run, folder)
    except DataError:
        raise
    except CheckpointError:
        if scratch is None or not begun:
            raise
        scratch.clear()
        return train_cell(config, further, scratch=scratch)
    except (DivergedError, FFZooError) as error:
        refused = f"{type(error).__name__}: {error}"
        return {"schema_version": SCHEMA_VERSION, "config_sha256": fingerprint(run), "refused": refused}
    found = {key: getattr(result, key) for key in _KEYS if hasattr(result, key)}
    if folder is not None and further is not None:
        from ffzoo.run.trained import load

        trained = load(folder, run.device)
        device = environment.resolve_device(run.device)
        found["further"] = further(trained.algorithm, read_data(run).to(device), trained.preprocess)
    return found | {
        "schema_version": SCHEMA_VERSION,
        "config_sha256": fingerprint(run),
        "seed": run.fit.seed,
        "lr": run.fit.lr,
    }


def why_invalid(cell: Any) -> str | None:
    """Return what is wrong with a stored cell; None for one that can be averaged.

    Args:
        cell: as JSON gives it.
    """
    if not isinstance(cell, dict):
        return f"a cell is {type(cell).__name__}; expected an object"
    if cell.get("schema_version") != SCHEMA_VERSION:
        return f"schema_version is {cell.get('schema_version')!r}; expected {SCHEMA_VERSION}"
    if "refused" in cell and "config_sha256" in cell:
        return None
    missing = [key for key in _KEYS if key not in cell]
    if missing:
        return f"key {missing[0]!r} is missing"
    for key in _NUMBERS:
        value = cell[key]
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            return f"{key} is {value!r}; expected a finite number"
    if not 0 <= cell["test_accuracy"] <= 1:
        return f"test_accuracy is {cell['test_accuracy']!r}; expected a fraction"
    return None
