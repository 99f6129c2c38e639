"""E7: what each part of DTG-FF is worth: temperature, place of the normalization, fusion; one changed at a time."""

from __future__ import annotations

from ffzoo.bench import Claim, Comparison, Words, compare
from ffzoo.plugin import Arm, Grid, Report, Study
from ffzoo_experiments.claims.setting import image_grid

WHOLE = "learned T, decoupled, sum"
_BASE = {"fusion": "sum"}
ARMS = (
    Arm(WHOLE, "dtg_ff", _BASE),
    *(Arm(f"T = {t:g}", "dtg_ff", {**_BASE, "goodness.temperature": t}) for t in (0.5, 1.05, 2.0)),
    Arm("norm before goodness", "dtg_ff", {**_BASE, "goodness_norm": "layernorm"}),
    Arm("no norm", "dtg_ff", {**_BASE, "forward_norm": "none"}),
    Arm("fusion last", "dtg_ff", {"fusion": "last"}),
    Arm("fusion concat_linear", "dtg_ff", {"fusion": "concat_linear"}),
    Arm("fusion best_range", "dtg_ff", {"fusion": "best_range"}),
)
PAIRS = tuple((WHOLE, arm.name) for arm in ARMS[1:])
WORDS = Words(
    question="What are DTG-FF's learned temperature, its decoupled normalization and its fusion worth?",
    claim="The three together make the method (abstract of arXiv:2606.06539); what each is worth is not in it.",
    limits="One change at a time, a small CNN, subsets of two data sets and a short training.",
    axis="data set",
)


def grid(config: Comparison) -> Grid:
    """The method and its variants."""
    return image_grid(config, ARMS)


def e7(config: Comparison, study: Study) -> Report:
    """The whole method beside each variant; claims are judged over all data sets."""
    claims = tuple(
        Claim(WHOLE, name, 1, "mean", made=False)
        for name in ("T = 1.05", "norm before goodness", "no norm", "fusion last")
    )
    return compare(config, study, grid(config), WORDS, PAIRS, claims)
