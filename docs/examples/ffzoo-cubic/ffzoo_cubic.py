"""Forward-Forward with the mean of |h|^3 as its goodness; for block l with features h_l::

G_l = mean of |h_l|^3
"""

from ffzoo.plugin import Logistic, Recipe, Sum, Term, algorithm, goodness


def mean_cubes(h):
    """Return the mean of |h|^3 over all features, (B, ...) -> (B,)."""
    return h.abs().pow(3).flatten(1).mean(1)


goodness("mean_cubes", mean_cubes, summary="mean of |h|^3")

CUBIC_FF = algorithm(
    "cubic_ff",
    Recipe(
        terms=(Term("mean_cubes", Logistic(threshold=1.5, scale="dim")),),
        label_embedding="overlay",
        negatives="wrong_label",
        forward_norm="rms",
        fusion=Sum(first=1),
    ),
    summary="FF on cubes",
)
