"""Integrated FF."""
from __future__ import annotations

from ffzoo import Recipe, Term
from ffzoo.parts.options import Logistic, Overlay

INTEGRATED_FF = Recipe(
    terms=(Term("mean_squares", Logistic(threshold=1.5, scale=1.0)),),
    label_embedding=Overlay(value=5.0),
    negatives="wrong_label",
    forward_norm="l2",
    schedule="greedy",
    fusion="sum",
)
