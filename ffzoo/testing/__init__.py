"""The conformance kit: does an algorithm, or a part, keep the contract the rest of the library relies on?

For example::

    from ffzoo.testing import check_algorithm, parametrize_with_checks

    for result in check_algorithm("my_rule", on_fail="return"):
        print(result.check, result.status, result.reason)

    @parametrize_with_checks(["my_rule", "goodness:my_goodness"])
    def test_conformance(check):
        check()

Needs hypothesis, and for the decorator pytest: ``pip install 'ffzoo[test]'``.
"""

from ffzoo.testing.kit import CheckResult, check_algorithm, checks_for, parametrize_with_checks

__all__ = ["CheckResult", "check_algorithm", "checks_for", "parametrize_with_checks"]
