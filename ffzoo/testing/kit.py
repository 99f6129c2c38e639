"""Running checks: structured results, expected failures, and the way into pytest."""

from __future__ import annotations

import functools
import time
import unittest
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from ffzoo.algorithms.build import AlgorithmSpec
from ffzoo.algorithms.recipe import Recipe
from ffzoo.errors import OptionError, nearest
from ffzoo.testing.checks_algorithm import ALGORITHM_CHECKS
from ffzoo.testing.checks_parts import PART_CHECKS
from ffzoo.testing.subjects import Check, Draws, Factory, SkipCheck, Subject, check_name, subject_of

Checkable = str | AlgorithmSpec | Recipe | Factory

_NONE: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class CheckResult:
    """The outcome of one check.

    Attributes:
        check: its name.
        status: ``expected_failure`` is a failure that was announced; an announced one that did not come
            is ``failed``.
        reason: why it failed, was expected to, or was skipped; empty when it passed.
        seconds: how long it took.
        examples: how many random cases ran to their end.
    """

    check: str
    status: Literal["passed", "failed", "expected_failure", "skipped"]
    reason: str
    seconds: float
    examples: int


def check_algorithm(
    what: Checkable,
    *,
    expected_failures: Mapping[str, str] = _NONE,
    checks: Sequence[str] | None = None,
    on_fail: Literal["raise", "return"] = "raise",
) -> list[CheckResult]:
    """Check an algorithm, or a part, against the contract it has to keep.

    Args:
        what: a registered algorithm (``"dtg_ff"``), a part by kind and name (``"goodness:projection"``), a
            spec, a recipe, or a factory ``(backbone, num_classes, fit) -> Algorithm``.
        expected_failures: check -> reason, for checks that are known to fail; one that passes is a
            failure, so that the list does not outlive its cause.
        checks: names of the checks to run; all that apply by default.
        on_fail: ``"raise"`` an error that lists every failure, or ``"return"`` the results only.

    Returns:
        One result a check, in order.

    Raises:
        AssertionError: a check failed (with ``on_fail="raise"``), or not one was run.
        OptionError: an unknown check.
        UnknownNameError: nothing has that name.
    """
    subject = subject_of(what)
    known = {check_name(check): check for check in _checks(subject)}
    for name in (*expected_failures, *(checks or ())):
        if name not in known:
            raise OptionError(f"there is no check {name!r} of {subject.name}: {nearest(name, known)}")
    chosen = list(known) if checks is None else list(checks)
    results = [_run(subject, known[name], expected_failures.get(name)) for name in chosen]
    if all(result.status == "skipped" for result in results):
        raise AssertionError(f"not one check of {subject.name} was run, which says nothing about it")
    failed = [result for result in results if result.status == "failed"]
    if failed and on_fail == "raise":
        lines = "\n".join(f"{result.check}: {result.reason}" for result in failed)
        raise AssertionError(f"{subject.name} failed {len(failed)} of {len(results)} checks\n{lines}")
    return results


def checks_for(what: Checkable, examples: int | None = None) -> list[Callable[[], None]]:
    """Return the checks of a subject as functions without arguments.

    Each has the check's name as ``__name__``; it raises when the check fails, and ``unittest.SkipTest``,
    which pytest knows too, when it does not apply.

    Args:
        what: as of :func:`check_algorithm`.
        examples: at most so many random cases on each kind of backbone, the smallest first; as many as a check asks
            for when None.
    """
    subject = subject_of(what)
    functions = []
    for check in _checks(subject):
        function = functools.partial(_raise_unless_passed, subject, check, examples)
        functools.update_wrapper(function, check)
        functions.append(function)
    return list(functions)


def parametrize_with_checks(names: Iterable[Checkable], examples: int | None = None) -> Any:
    """Return a pytest decorator that gives the argument ``check`` every check of every subject in turn.

    Example::

        @parametrize_with_checks(["my_rule", "goodness:my_goodness"])
        def test_conformance(check):
            check()

    Args:
        names: what to check, each as of :func:`check_algorithm`.
        examples: as of :func:`checks_for`; 1 takes about a third of the time and is what this library's own tests use
            for algorithms made of parts that are checked in full elsewhere.

    Raises:
        AssertionError: there is nothing to check.
        OptionError: pytest is not installed.
    """
    try:
        import pytest
    except ImportError as error:
        raise OptionError("parametrize_with_checks needs pytest; install it with `pip install pytest`") from error
    parameters = [
        pytest.param(check, id=f"{subject_of(name).name}-{check.__name__}")
        for name in names
        for check in checks_for(name, examples)
    ]
    if not parameters:
        raise AssertionError("parametrize_with_checks got no names, so not one check would be run")
    return pytest.mark.parametrize("check", parameters)


def _checks(subject: Subject) -> Sequence[Check]:
    if subject.kind == "algorithms":
        return ALGORITHM_CHECKS
    if subject.kind not in PART_CHECKS:
        raise OptionError(f"there are no checks for {subject.name!r}: {nearest(subject.kind, PART_CHECKS)}")
    return PART_CHECKS[subject.kind]


def _run(subject: Subject, check: Check, expected: str | None) -> CheckResult:
    start, draws = time.perf_counter(), Draws()
    status: Literal["passed", "failed", "expected_failure", "skipped"] = "passed"
    reason = ""
    try:
        _apply(subject, check, draws)
        if expected is not None:
            status, reason = "failed", f"it passed, but was expected to fail: {expected}"
    except SkipCheck as skip:
        status, reason = "skipped", str(skip)
    except Exception as error:  # a rule under test may raise anything
        status, reason = ("failed", _words(error)) if expected is None else ("expected_failure", expected)
    return CheckResult(check_name(check), status, reason, time.perf_counter() - start, draws.count)


def _apply(subject: Subject, check: Check, draws: Draws) -> None:
    check(subject, draws)
    if not draws.count:
        raise AssertionError("no example was run: the subject refused every drawn case")


def _raise_unless_passed(subject: Subject, check: Check, examples: int | None) -> None:
    try:
        _apply(subject, check, Draws(examples))
    except SkipCheck as skip:
        raise unittest.SkipTest(str(skip)) from None


def _words(error: Exception) -> str:
    """Return the error and the example that hypothesis found."""
    name = "" if isinstance(error, AssertionError) else f"{type(error).__name__}: "
    return "\n".join([f"{name}{error}", *getattr(error, "__notes__", ())])
