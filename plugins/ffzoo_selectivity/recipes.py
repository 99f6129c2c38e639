"""Selectivity and shape."""
from __future__ import annotations

from ffzoo import Recipe, Term
from ffzoo.parts.options import Logistic
from ffzoo_ffdl.options import LabelProjections

SELECTIVITY = Recipe(
    terms=(Term("kurtosis", Logistic(threshold=2.0, scale=8.0)),),
    label_embedding=LabelProjections(),
    negatives="wrong_label",
    forward_norm="rms",
    fusion="sum",
)
