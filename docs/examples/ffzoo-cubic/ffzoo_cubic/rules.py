"""The goodness G = mean of |h|^3, and Hinton's supervised recipe with it."""

from ffzoo import Recipe, Term
from ffzoo.parts.options import Logistic, Sum


def mean_cubes(h):
    """Mean of |h|^3 over all features, (B, ...) -> (B,)."""
    return h.abs().pow(3).flatten(1).mean(1)


LOSS = Logistic(threshold=1.5, scale="dim")
PARTS = {"label_embedding": "overlay", "negatives": "wrong_label", "forward_norm": "rms", "fusion": Sum(first=1)}
CUBIC_FF = Recipe(terms=(Term("mean_cubes", LOSS),), **PARTS)
