"""The setting of strong scale: full data sets, a network and a recipe under which backprop is above 92 % on CIFAR-10.

The whitened CNN and the recipe of ``fast_cifar_wide``, in bf16 and for five epochs, equal for all arms. The learning
rate is not searched: in the search of ``e1`` at cpu scale, under the same recipe on a narrower network, every arm
chose the same one on every data set.
"""

from __future__ import annotations

from typing import Any

from ffzoo.plugin import Arm

EPOCHS, BATCH_SIZE, BACKBONE = 5, 500, "whitened_cnn"
RECIPE: dict[str, Any] = {
    "fit.optimizer": "muon",
    "fit.muon_lr": 0.1,
    "fit.muon_momentum": 0.6,
    "fit.filter_norm": True,
    "fit.lr": 0.005,
    "fit.schedule": "linear",
    "fit.warmup": 0.1,
    "fit.label_smoothing": 0.2,
    "fit.crop_padding": 2,
    "fit.augment": ["crop", "alternating_flip"],
    "data.test_flip": True,
}
WIDE = {"backbone.widths": [96, 128, 256, 256, 512]}
NARROW = {"backbone.widths": [64, 64, 128, 128, 256]}
"""For experiments with many conditions: half as wide."""

GROWING = Arm("bp_deepsup growing", "bp_deepsup", {"depth_weights": "growing"})
"""Deep supervision whose early heads weigh less: equal weights are known to cost it accuracy."""
ARMS = (
    Arm("dtg_ff", "dtg_ff"),
    Arm("dtg_ff_global", "dtg_ff_global"),
    Arm("bp_deepsup", "bp_deepsup"),
    GROWING,
    Arm("bp", "bp"),
)
PAIRS = (
    ("dtg_ff", "bp"),
    ("dtg_ff", "bp_deepsup growing"),
    ("dtg_ff", "bp_deepsup"),
    ("dtg_ff_global", "bp"),
    ("dtg_ff_global", "bp_deepsup growing"),
    ("dtg_ff_global", "bp_deepsup"),
)
GAPS = (*PAIRS, ("bp_deepsup growing", "bp"), ("bp_deepsup", "bp"))
