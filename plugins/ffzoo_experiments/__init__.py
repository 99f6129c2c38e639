"""Experiments for ``python -m ffzoo.bench``."""

from __future__ import annotations

from ffzoo import hookimpl
from ffzoo.hookspecs import Register


@hookimpl
def register_experiments(register: Register) -> None:
    """What is measured of the algorithms that ship."""
    register(
        "speed",
        "ffzoo_experiments.speed:speed",
        config="ffzoo_experiments.options:Speed",
        summary="speed and memory of a training step at equal batch size, every arm timed beside the others",
    )
    register(
        "time_to_accuracy",
        "ffzoo_experiments.time_to_accuracy:time_to_accuracy",
        config="ffzoo_experiments.options:TimeToAccuracy",
        summary="accuracy against seconds and operations: a local rule beside backprop of the same network, one recipe",
    )
    register(
        "zoo",
        "ffzoo_experiments.zoo:zoo",
        config="ffzoo_experiments.options:Zoo",
        summary="every algorithm on small data at one budget, with the same search: the leaderboard",
    )
    for name, module, summary in (
        ("e2", "classes_real", "gap to backprop against the number of classes, on real images"),
        ("e3", "classes_synthetic", "gap to backprop against the number of classes, on teacher-student tasks"),
        ("e4", "coarse_fine", "the same images with 20 and with 100 labels"),
        ("e5", "outputs", "the same task with outputs that no sample belongs to"),
        ("e6", "projections", "random, orthogonal and learned projections against the number of classes"),
    ):
        register(
            name,
            f"ffzoo_experiments.{module}:{name}",
            config="ffzoo_experiments.comparison_options:Comparison",
            summary=summary,
        )
