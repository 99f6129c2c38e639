"""``ffzoo.compare``: algorithms by name, or rules that exist only in a notebook, on one data set in this process."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ffzoo.algorithms.recipe import Recipe
from ffzoo.bench.grid import Arm, Condition, Grid, planned, refuse_unfair
from ffzoo.errors import DivergedError, OptionError
from ffzoo.registry.hookspecs import Register, hookimpl
from ffzoo.registry.loader import ZOO

if TYPE_CHECKING:
    from ffzoo.algorithms.contract import Algorithm
    from ffzoo.algorithms.given import Model, Rule
    from ffzoo.run.results import Evaluation

_STEP = 10**0.5
_OWN = "rules_of_compare"


def rate_factors(trials: int) -> tuple[float, ...]:
    """Return learning rates to try as multiples of an algorithm's own, which lies in the middle.

    Args:
        trials: how many; of an even number one more lies above the algorithm's own.
    """
    below = (trials - 1) // 2
    return tuple(_STEP**k for k in range(-below, trials - below))


class _Rules:
    """A plugin of rules that were given directly.

    Args:
        rules: by their names.
    """

    def __init__(self, rules: Mapping[str, Recipe | type[Algorithm]]) -> None:
        self.rules = rules

    @hookimpl
    def register_algorithms(self, register: Register) -> None:
        for name, rule in self.rules.items():
            register(name, rule, summary="given to ffzoo.compare")


def _named(algos: Sequence[Rule] | Mapping[str, Rule]) -> dict[str, Rule]:
    """Return the rules by name: a class by its own, a recipe as ``recipe``.

    Raises:
        OptionError: what is no rule, a name given twice, or fewer than two.
    """
    pairs = list(algos.items()) if isinstance(algos, Mapping) else [(_name_of(rule), rule) for rule in algos]
    pairs = [(name, rule() if inspect.isfunction(rule) else rule) for name, rule in pairs]
    found: dict[str, Rule] = {}
    for name, rule in pairs:
        if not isinstance(rule, str | Recipe | type):
            raise OptionError(f"algos has {rule!r}; expected a name, a Recipe or a subclass of ffzoo.Algorithm")
        if name in found:
            raise OptionError(f"algos has {name!r} twice; expected each once: give names as in {{'mine': recipe}}")
        if isinstance(rule, str) and name != rule:
            raise OptionError(f"algos calls {rule!r} {name!r}; expected a registered algorithm under its own name")
        found[name] = rule
    if len(found) < 2:
        raise OptionError(f"algos is {', '.join(found) or 'empty'}; expected at least two to compare")
    return found


def _name_of(rule: Any) -> str:
    if isinstance(rule, type):
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", rule.__name__).lower()
    if inspect.isfunction(rule):
        return rule.__name__
    return "recipe" if isinstance(rule, Recipe) else str(rule)


def compare(
    algos: Sequence[Rule] | Mapping[str, Rule],
    dataset: Any = "digits",
    *,
    backbone: Model | None = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    seeds: int | Sequence[int] = 3,
    trials: int = 3,
    settings: Mapping[str, Any] | None = None,
    device: str = "auto",
    data_dir: str | Path | None = None,
    out: str | Path | None = None,
    progress: bool = False,
) -> Evaluation:
    """Compare the first algorithm with each of the others, each at its best learning rate, on equal data and seeds.

    ``ffzoo compare`` does the same with several data sets and processes, and writes a report.

    Args:
        algos: names, recipes and subclasses of :class:`ffzoo.Algorithm <ffzoo.algorithms.contract.Algorithm>`; a rule
            that is not registered takes the name it has in a mapping, else its class's name or ``recipe``.
        dataset: a registered data set, or ``folder:PATH``, ``npz:PATH``, ``medmnist:NAME``; or data, as
            :func:`ffzoo.evaluate <ffzoo.run.evaluate.evaluate>` takes them.
        backbone: a registered backbone or ``timm:NAME``, or a module, as ``evaluate`` takes it; the data set's default
            when None.
        epochs: passes over the training set; the data set's default when None.
        batch_size: samples per step; the data set's default when None.
        seeds: how many, from 0, or which; gaps are paired by them.
        trials: learning rates tried for each algorithm with the first seed; validation accuracy chooses; 1 tries none.
        settings: ``fit.``, ``backbone.`` and ``data.`` options, the same for all.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        data_dir: folder of the data sets; ``FFZOO_DATA`` or the cache folder when None.
        out: a new folder with a run folder for each algorithm and seed; nothing is written when None.
        progress: show a plan, a progress bar and a table.

    Returns:
        The first algorithm's runs; the others' and the gaps are in ``against``.

    Raises:
        FFZooError: a name, option or data set that cannot be used, or a comparison that would be unfair.
    """
    rules = _named(algos)
    chosen = tuple(range(seeds)) if isinstance(seeds, int) else tuple(seeds)
    for name, value in (("seeds", len(chosen)), ("trials", trials)):
        if value < 1:
            raise OptionError(f"{name} is {seeds if name == 'seeds' else trials}; expected at least 1")
    for key in settings or {}:
        if key.partition(".")[0] not in ("fit", "backbone", "data"):
            raise OptionError(f"settings has {key}, an option of one algorithm; expected one of fit, backbone or data")
    from ffzoo.run.bring import bring

    _, named, cut, batch_size = bring([], dataset, backbone, batch_size)
    grid = Grid(
        tuple(Arm(name, name) for name in rules),
        (Condition(str(named), named, settings or {}),),
        *(chosen, rate_factors(trials), cut, epochs, batch_size),
        device=device,
    )
    own = {name: rule for name, rule in rules.items() if isinstance(rule, Recipe | type)}
    with ZOO.use(_Rules(own), _OWN):
        from ffzoo.run.runner import run_all

        condition = grid.conditions[0]
        refuse_unfair({arm.name: planned(grid, condition, arm, chosen[0], 1.0, False) for arm in grid.arms})
        best = {arm.name: _best_rate(grid, arm, data_dir) if trials > 1 else 1.0 for arm in grid.arms}
        runs = [planned(grid, condition, arm, seed, best[arm.name], False) for arm in grid.arms for seed in chosen]
        found = run_all(runs, out=None if out is None else Path(out), data_dir=data_dir, progress=progress)
    return found.searched(trials)


def _best_rate(grid: Grid, arm: Arm, data_dir: str | Path | None) -> float:
    """Return the factor of an algorithm's learning rate that does best on the validation set with the first seed.

    Raises:
        DivergedError: none of them can be trained with.
    """
    from ffzoo.run.runner import run_all

    scores: dict[float, float] = {}
    for factor in grid.factors:
        run = planned(grid, grid.conditions[0], arm, grid.seeds[0], factor, True)
        try:
            scores[factor] = run_all([run], out=None, data_dir=data_dir, curves=False).test_accuracy
        except DivergedError as error:
            last = error
    if not scores:
        raise last
    return max(scores, key=lambda factor: scores[factor])
