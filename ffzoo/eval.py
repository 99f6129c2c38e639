"""``python -m ffzoo.eval``, the same as ``ffzoo train``: train an algorithm, measure it, test it once."""

from __future__ import annotations

import functools
import sys

from ffzoo.cli.main import main as command

main = functools.partial(command, command="train")

if __name__ == "__main__":
    sys.exit(main())
