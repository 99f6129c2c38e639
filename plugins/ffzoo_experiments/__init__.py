"""What ``ffzoo bench`` runs: the experiments on the claims, the speed study, the leaderboard and comparisons."""

from __future__ import annotations

from ffzoo.plugin import experiment

experiment(
    "speed",
    "ffzoo_experiments.speed.experiment:speed",
    config="ffzoo_experiments.speed.options:Speed",
    summary="speed and memory of a training step at equal batch size, every arm timed beside the others",
)
experiment(
    "time_to_accuracy",
    "ffzoo_experiments.time_to_accuracy.experiment:time_to_accuracy",
    config="ffzoo_experiments.time_to_accuracy.options:TimeToAccuracy",
    summary="accuracy against seconds and operations: a local rule beside backprop of the same network, one recipe",
)
experiment(
    "zoo",
    "ffzoo_experiments.leaderboard.experiment:zoo",
    config="ffzoo_experiments.leaderboard.options:Zoo",
    summary="every algorithm on small data at one budget, with the same search: the leaderboard",
)
experiment(
    "cifar_board",
    "ffzoo_experiments.cifar_board.experiment:cifar_board",
    config="ffzoo_experiments.cifar_board.options:CifarBoard",
    summary="every algorithm on CIFAR-10 under one strong recipe: accuracy, operations, memory, published figures",
)
experiment(
    "compare",
    "ffzoo_experiments.compare.experiment:compare_own",
    config="ffzoo_experiments.compare.options:Own",
    summary="your own comparison, with methods, a LaTeX table and references",
)

_COMPARISON, _OWN_OPTIONS = "ffzoo.bench.options:Comparison", "ffzoo_experiments.claims.options:"
for _name, _module, _config, _summary in (
    ("e1", "e01_whole_data", _OWN_OPTIONS + "Strong", "the matched gap to backprop on whole data sets"),
    (
        "e2",
        "e02_classes_real",
        _OWN_OPTIONS + "Strong",
        "gap to backprop against the number of classes, real images",
    ),
    ("e3", "e03_classes_synthetic", _COMPARISON, "the same on teacher-student tasks"),
    ("e4", "e04_coarse_fine", _COMPARISON, "the same images with 20 and with 100 labels"),
    ("e5", "e05_outputs", _COMPARISON, "the same task with outputs that no sample belongs to"),
    ("e6", "e06_projections", _COMPARISON, "random, orthogonal and learned projections against the number of classes"),
    ("e7", "e07_ablation", _COMPARISON, "what temperature, normalization and fusion of DTG-FF are worth"),
    ("e8", "e08_locality", _COMPARISON, "a fusion loss that reaches the blocks: accuracy, memory, locality"),
    ("e9", "e09_depth_memory", _OWN_OPTIONS + "Systems", "saved activations against depth"),
    ("e10", "e10_systems", _OWN_OPTIONS + "Systems", "memory and images per second at equal effective batch"),
    ("e11", "e11_resolution", _OWN_OPTIONS + "Resolutions", "gap to backprop against the resolution of the images"),
    ("e12", "e12_block_probes", _COMPARISON, "accuracy and linear probes block by block"),
    ("e13", "e13_periodic_table", _COMPARISON, "what each option of the class goodness is worth"),
):
    experiment(_name, f"ffzoo_experiments.claims.{_module}:{_name}", config=_config, summary=_summary)
