"""``python -m ffzoo.plugins``, the same as ``ffzoo plugins``: what plugins registered, what was skipped and why."""

from __future__ import annotations

import functools
import sys

from ffzoo.cli.main import main as command

main = functools.partial(command, command="plugins")

if __name__ == "__main__":
    sys.exit(main())
