"""Forward-Forward with the mean of |h|^3 as its goodness."""

from ffzoo import hookimpl


@hookimpl
def register_goodness(register):
    register("mean_cubes", "ffzoo_cubic.rules:mean_cubes", summary="mean of |h|^3")


@hookimpl
def register_algorithms(register):
    register("cubic_ff", "ffzoo_cubic.rules:CUBIC_FF", summary="FF on cubes", paper="an example of the ffzoo docs")
