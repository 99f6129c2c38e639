"""No rule is shipped without a test of its formula here."""

from __future__ import annotations

from pathlib import Path

import ffzoo
from ffzoo.registry.loader import ZOO


def test_every_rule_is_named_in_a_test_of_this_folder():
    tests = sorted(Path(__file__).parent.glob("test_*.py"))
    text = "\n".join(path.read_text(encoding="utf-8") for path in tests)
    shipped = [n for n in ffzoo.list_algorithms() if ZOO["algorithms"].get(n).provenance.distribution == "ffzoo"]
    missing = [name for name in shipped if f'"{name}"' not in text]
    assert shipped and not missing, f"no tests/zoo/test_*.py states the formula of: {', '.join(missing)}"
