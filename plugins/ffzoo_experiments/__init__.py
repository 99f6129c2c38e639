"""Experiments for ``ffzoo bench``."""

from __future__ import annotations

from ffzoo import hookimpl
from ffzoo.registry.hookspecs import Register


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
    for name, module, options, summary in (
        ("e1", "whole_data", "Comparison", "the matched gap to backprop on whole data sets"),
        ("e2", "classes_real", "Comparison", "gap to backprop against the number of classes, on real images"),
        ("e3", "classes_synthetic", "Comparison", "the same on teacher-student tasks"),
        ("e4", "coarse_fine", "Comparison", "the same images with 20 and with 100 labels"),
        ("e5", "outputs", "Comparison", "the same task with outputs that no sample belongs to"),
        ("e6", "projections", "Comparison", "random, orthogonal and learned projections against the number of classes"),
        ("e7", "ablation", "Comparison", "what temperature, normalization and fusion of DTG-FF are worth"),
        ("e8", "locality", "Comparison", "a fusion loss that reaches the blocks: accuracy, memory, locality"),
        ("e9", "depth_memory", "Systems", "saved activations against depth"),
        ("e10", "systems", "Systems", "memory and images per second at equal effective batch"),
        ("e11", "resolution", "Resolutions", "gap to backprop against the resolution of the images"),
        ("e12", "block_probes", "Comparison", "accuracy and linear probes block by block"),
        ("e13", "periodic_table", "Comparison", "what each option of the class goodness is worth"),
    ):
        register(
            name,
            f"ffzoo_experiments.{module}:{name}",
            config=f"ffzoo_experiments.comparison_options:{options}",
            summary=summary,
        )
    register(
        "compare",
        "ffzoo_experiments.own_comparison:compare_own",
        config="ffzoo_experiments.comparison_options:Own",
        summary="your own comparison, with methods, a LaTeX table and references",
    )
