"""Polar-FFA."""
from __future__ import annotations

from ffzoo import Recipe, Term
from ffzoo.parts.options import Logistic, Overlay
from ffzoo_polar_ffa.options import Polar

POLAR_FFA = Recipe(
    terms=(Term(Polar(), Logistic(threshold=0.0, scale=8.0)),),
    label_embedding=Overlay(value=5.0),
    negatives="wrong_label",
    forward_norm="rms",
    fusion="sum",
)
