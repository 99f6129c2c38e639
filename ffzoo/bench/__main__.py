"""``python -m ffzoo.bench``, the same as ``ffzoo bench``: run an experiment, or go on with it."""

from __future__ import annotations

import functools
import sys

from ffzoo.cli.main import main as command

main = functools.partial(command, command="bench")

if __name__ == "__main__":
    sys.exit(main())
