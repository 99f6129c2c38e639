"""``python -m ffzoo.report``, the same as ``ffzoo report``: one page of all finished studies in a folder."""

from __future__ import annotations

import functools
import sys

from ffzoo.cli.main import main as command

main = functools.partial(command, command="report")

if __name__ == "__main__":
    sys.exit(main())
