"""What the library's own runs reached, read from the cells in ``docs/results``; nothing is trained. No Sphinx in here.

A cell of a study is named ``CONDITION, ARM: seed N``. It counts where the arm is an algorithm that ships and the
condition a data set: other arms are variants, other conditions are tasks made for one question.
"""

from __future__ import annotations

import json
import re
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ffzoo.measure.statistics import Gap, interval
from ffzoo.registry.loader import SHIPPED, ZOO

RESULTS = Path(__file__).resolve().parent.parent / "results"
_CELL = re.compile(r"(?P<condition>.+), (?P<arm>\w+): seed \d+")
TITLES = {
    "digits": "digits",
    "mnist": "MNIST",
    "fashion_mnist": "Fashion-MNIST",
    "cifar10": "CIFAR-10",
    "cifar100": "CIFAR-100",
}


@dataclass(frozen=True)
class Result:
    """Runs of one algorithm on one data set in one study.

    Attributes:
        algo: its name.
        dataset: as it is registered.
        experiment: that made them: ``zoo`` is the leaderboard.
        regime: under which the runs were made, in words.
        accuracies: of the test set, in percent, a seed each.
        strictly_local: as measured, in every run.
        page: of this documentation that says how they were made.
    """

    algo: str
    dataset: str
    experiment: str
    regime: str
    accuracies: tuple[float, ...]
    strictly_local: bool
    page: str

    @property
    def mean(self) -> float:
        """Mean accuracy, in percent."""
        return statistics.fmean(self.accuracies)

    def __str__(self) -> str:
        """``72.69 [71.10, 74.28]``: the mean, and where there are seeds enough its 95 % interval."""
        gap: Gap = interval(self.accuracies)
        ends = "" if gap.low is None or gap.high is None else f" [{max(gap.low, 0):.2f}, {min(gap.high, 100):.2f}]"
        return f"{self.mean:.2f}{ends}"


@cache
def results() -> tuple[Result, ...]:
    """Return all of them, the leaderboard first."""
    found = [*_studies(), *_single_runs()]
    return tuple(sorted(found, key=lambda r: (r.experiment != "zoo", list(TITLES).index(r.dataset), r.regime, r.algo)))


def of(algo: str) -> list[Result]:
    """Return what an algorithm reached."""
    return [result for result in results() if result.algo == algo]


def leaderboard() -> dict[str, dict[str, Result]]:
    """Return data set -> algorithm -> what it reached under the one budget and search of the leaderboard."""
    boards: dict[str, dict[str, Result]] = {}
    for result in results():
        if result.experiment == "zoo":
            boards.setdefault(result.dataset, {})[result.algo] = result
    return boards


def _studies() -> Iterator[Result]:
    shipped = {entry.name for entry in ZOO["algorithms"] if entry.provenance.distribution == SHIPPED}
    for path in sorted(RESULTS.rglob("cells.jsonl")):
        config = json.loads((path.parent / "config.json").read_text(encoding="utf-8"))
        experiment, options = config["experiment"], config["options"]
        runs: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for line in path.read_text(encoding="utf-8").splitlines():
            key, value = (cell := json.loads(line))["key"], cell["value"]
            if experiment == "time_to_accuracy" and re.fullmatch(r"local, seed \d+", key):
                key = f"cifar10, {options['algo']}: seed 0"  # its condition is a whole configuration
            named = _CELL.fullmatch(key)
            if named and named["arm"] in shipped and named["condition"] in TITLES and _accuracy(value) is not None:
                runs.setdefault((named["condition"], named["arm"]), []).append(value)
        for (dataset, algo), values in runs.items():
            accuracies = tuple(100 * _accuracy(v) for v in values)
            local = all(v["strictly_local"] for v in values)
            yield Result(algo, dataset, experiment, _regime(experiment, options), accuracies, local, _page(experiment))


def _accuracy(value: dict[str, Any]) -> Any:
    return value.get("test_accuracy", value.get("accuracy"))


def _regime(experiment: str, options: dict[str, Any]) -> str:
    if experiment == "zoo":
        return "leaderboard"
    scale = options.get("scale") or options.get("config")
    return f"{experiment}, {scale}" if scale else experiment


def _page(experiment: str) -> str:
    return {"zoo": "leaderboard.md", "time_to_accuracy": "benchmarks.md"}.get(experiment, "claims.md")


def _single_runs() -> Iterator[Result]:
    """Runs whose result files were kept by themselves: those that differ in their seed alone belong together."""
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for path in sorted(RESULTS.glob("*/*.json")):
        run = json.loads(path.read_text(encoding="utf-8"))
        if "algo" in run and run.get("dataset") in TITLES:
            same = ("algo", "dataset", "backbone", "epochs", "parameters")
            groups.setdefault((path.parent.name, *(run[key] for key in same)), []).append(run)
    for (folder, algo, dataset, backbone, epochs, _), runs in groups.items():
        accuracies = tuple(100 * run["test_accuracy"] for run in runs)
        local = all(run["strictly_local"] for run in runs)
        page = "leaderboard.md" if folder.startswith("mnist") else "benchmarks.md"
        yield Result(algo, dataset, "train", f"{backbone}, {epochs} epochs", accuracies, local, page)
