"""``python -m ffzoo``: the ``ffzoo`` command."""

from __future__ import annotations

import sys

from ffzoo.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
