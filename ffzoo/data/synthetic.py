"""Data that are drawn and not read."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ffzoo.data.bundle import RawData
from ffzoo.data.options import TeacherStudent
from ffzoo.errors import DataError

_BALANCE_DRAWS = 200  # times as many inputs as samples that a balanced set may cost


def teacher_student(config: TeacherStudent, root: Path, download: bool) -> RawData:
    """Gaussian inputs labelled by the arg max of a fixed random ReLU network.

    Args:
        config: sizes, noise and seed.
        root: not used.
        download: not used.

    Returns:
        float32 (samples, dim) and (test_samples, dim).
    """
    # One stream for each: the test samples do not depend on how many training samples are asked for.
    seeds = np.random.SeedSequence(config.teacher_seed).spawn(4)
    teacher, train, test, noise = (np.random.default_rng(seed) for seed in seeds)
    widths = [config.dim] + [config.hidden] * (config.depth - 1) + [config.num_classes]
    weights = [teacher.standard_normal((a, b)) * np.sqrt(2 / a) for a, b in itertools.pairwise(widths)]

    def label(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        # float64, so that rounding decides no label.
        h = x.astype(np.float64)
        for weight in weights[:-1]:
            h = np.maximum(h @ weight, 0)
        return np.asarray((h @ weights[-1]).argmax(1))

    def draw(generator: np.random.Generator, count: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        x = generator.standard_normal((count, config.dim), dtype=np.float32)
        if not config.balanced:
            return x, label(x)
        room = np.full(config.num_classes, count // config.num_classes)
        room[: count % config.num_classes] += 1
        kept: list[tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]] = []
        for _ in range(_BALANCE_DRAWS):
            y = label(x)
            order = np.argsort(y, kind="stable")
            rank = np.empty(len(y), int)  # of a sample within its class
            rank[order] = np.arange(len(y)) - np.searchsorted(y[order], y[order])
            taken = rank < room[y]
            kept.append((x[taken], y[taken]))
            room -= np.bincount(y[taken], minlength=config.num_classes)
            if not room.any():
                return np.concatenate([x for x, _ in kept]), np.concatenate([y for _, y in kept])
            x = generator.standard_normal((count, config.dim), dtype=np.float32)
        raise DataError(
            f"teacher_student: {_BALANCE_DRAWS * count:,} inputs hold too few of class {int(room.argmax())} of the "
            f"teacher with seed {config.teacher_seed}; expected balanced=false, another teacher_seed or fewer samples"
        )

    x_train, y_train = draw(train, config.samples)
    x_test, y_test = draw(test, config.test_samples)
    wrong = noise.permutation(config.samples)[: round(config.noise * config.samples)]
    y_train[wrong] += noise.integers(1, config.num_classes, len(wrong))
    y_train %= config.num_classes
    names = tuple(str(k) for k in range(config.num_classes))
    return RawData(torch.from_numpy(x_train), y_train, torch.from_numpy(x_test), y_test, names)
