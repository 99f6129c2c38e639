"""What is checked, and how a check meets its random cases."""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from ffzoo.algorithms.build import AlgorithmSpec, algorithm_spec, create
from ffzoo.algorithms.contract import Algorithm
from ffzoo.algorithms.making import make_part
from ffzoo.algorithms.options import FitOptions
from ffzoo.algorithms.recipe import Recipe
from ffzoo.backbones.base import Backbone
from ffzoo.errors import FFZooError, OptionError, nearest
from ffzoo.registry.entries import KINDS, Entry
from ffzoo.registry.loader import ZOO
from ffzoo.testing.strategies import BACKBONES, Case, cases, hypothesis, seeded

Factory = Callable[[Backbone, int, FitOptions], Algorithm]
"""``(backbone, num_classes, fit) -> Algorithm``; a class that takes these three is one."""


class SkipCheck(Exception):
    """The check does not apply; the text says why."""


class Refused(Exception):
    """The subject cannot be built for a drawn case and says so with a typed error."""


@dataclass(frozen=True)
class Subject:
    """Something to check.

    Attributes:
        name: what results call it.
        kind: a kind of the registry.
        entry: what was registered; None for an algorithm that was passed itself.
        spec: an algorithm with its options.
        factory: an unregistered algorithm.
    """

    name: str
    kind: str
    entry: Entry | None = None
    spec: AlgorithmSpec | None = None
    factory: Factory | None = None

    @property
    def recipe(self) -> Recipe | None:
        """Return the recipe, for an algorithm that is one."""
        return self.spec.recipe if self.spec is not None else None

    def build(self, case: Case, fit: FitOptions | None = None) -> Algorithm:
        """Return the algorithm for a case.

        Args:
            case: backbone, shapes and seed.
            fit: options of training; the defaults with the case's seed when None.

        Raises:
            Refused: the algorithm does not fit the case.
        """
        try:
            input_shape = self.input_shape(case)
        except FFZooError as error:
            raise Refused(str(error)) from error
        backbone = case.build_backbone(input_shape)
        try:
            return self.build_on(backbone, case, fit)
        except FFZooError as error:
            raise Refused(str(error)) from error

    def input_shape(self, case: Case) -> tuple[int, ...]:
        """Return the shape that the backbone sees of a case's data: a label embedding may add to it."""
        if self.recipe is None:
            return case.shape
        embedding = make_part("label_embeddings", self.recipe.label_embedding, case.num_classes)
        shape: tuple[int, ...] = embedding.input_shape(case.shape)
        return shape

    def build_on(self, backbone: Backbone, case: Case, fit: FitOptions | None = None) -> Algorithm:
        """Return the algorithm on a given backbone."""
        fit = fit or FitOptions(seed=case.seed)
        if self.factory is not None:
            with seeded(fit.seed):
                return self.factory(backbone, case.num_classes, fit)
        assert self.spec is not None
        return create(self.spec, backbone, case.shape, case.num_classes, fit=fit)

    @functools.cached_property
    def backbones(self) -> tuple[str, ...]:
        """Return the backbones to draw from: without ``vectors`` for an algorithm that needs images."""
        case = Case("vectors", 2, 12, (36,), 3, 4, 0)
        try:
            with seeded(0):
                self.build(case).train_step(case.batch())
        except (Refused, FFZooError):
            return tuple(b for b in BACKBONES if b != "vectors")
        except Exception:
            pass  # no refusal: the checks will meet it, and show the case
        return BACKBONES


def subject_of(what: str | AlgorithmSpec | Recipe | Factory) -> Subject:
    """Return what a user names, or passes, as a subject.

    Args:
        what: ``"dtg_ff"``, ``"goodness:projection"``, ``"backbones:timm:resnet18"``, a spec, a recipe, or
            a factory.

    Raises:
        UnknownNameError: nothing has that name.
        OptionError: no such kind, or a kind that has no checks.
    """
    if isinstance(what, Recipe):
        return Subject("recipe", "algorithms", spec=AlgorithmSpec("recipe", what))
    if isinstance(what, AlgorithmSpec):
        return Subject(what.name, "algorithms", spec=what)
    if not isinstance(what, str):
        return Subject(getattr(what, "__name__", type(what).__name__), "algorithms", factory=what)
    kind, colon, name = what.partition(":")
    if not colon:
        kind, name = "algorithms", what
    if kind not in KINDS:
        raise OptionError(f"{what!r} names no kind of part: {nearest(kind, KINDS)}")
    if kind == "algorithms":
        return Subject(what, kind, ZOO[kind].get(name), algorithm_spec(name))
    source, colon, _ = name.partition(":")
    entry = ZOO["backbone_sources"].get(source) if kind == "backbones" and colon else ZOO[kind].get(name)
    return Subject(what, kind, entry)


class Draws:
    """Runs a check over random cases and counts them.

    Args:
        most: cases a kind of backbone; as many as the check asks for when None.

    Attributes:
        count: examples that ran to their end.
    """

    def __init__(self, most: int | None = None) -> None:
        self.most, self.count = most, 0

    def each(
        self,
        test: Callable[[Case], None],
        backbones: Iterable[str] = BACKBONES,
        examples: int = 3,
        **fixed: Any,
    ) -> None:
        """Run ``test`` on cases of every kind of backbone.

        Args:
            test: raises when a case fails; hypothesis then looks for a smaller one.
            backbones: kinds to draw from, each with its own examples.
            examples: cases a kind, the smallest first.
            fixed: attributes of the cases that are not drawn.
        """
        for backbone in backbones:
            self.over(test, cases(backbone, **fixed), examples)

    def over(self, test: Callable[[Any], None], strategy: Any, examples: int) -> None:
        """Run ``test`` on values of a strategy.

        Args:
            test: raises when a value fails.
            strategy: of hypothesis.
            examples: how many values.
        """
        package = hypothesis()

        def counted(case: Any) -> None:
            # Not hypothesis.reject(): it would look for a case that fits, again and again.
            with contextlib.suppress(Refused):
                test(case)
                self.count += 1

        # Draws are the same on every machine and at every call; nothing is kept on disk.
        settings = package.settings(
            max_examples=min(examples, self.most or examples),
            deadline=None,
            derandomize=True,
            database=None,
            print_blob=False,
            report_multiple_bugs=False,
            suppress_health_check=list(package.HealthCheck),
            phases=[package.Phase.generate, package.Phase.shrink],
        )
        settings(package.given(case=strategy)(counted))()

    def once(self, test: Callable[[], None]) -> None:
        """Run a test that needs no random case."""
        test()
        self.count += 1


Check = Callable[[Subject, Draws], None]


def check_name(check: Check) -> str:
    """Return the name of a check: its function's."""
    return str(getattr(check, "__name__", check))


def guards(check: Check) -> str:
    """Return what a check guards: the first line of its docstring, without its \"Check that\"."""
    line = (inspect.getdoc(check) or "").partition("\n")[0].removeprefix("Check that ")
    return line[:1].upper() + line[1:]
