"""The plugin keeps the contract that ffzoo relies on."""

from ffzoo.testing import parametrize_with_checks


@parametrize_with_checks(["cubic_ff", "goodness:mean_cubes"])
def test_conformance(check):
    check()
