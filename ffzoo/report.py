"""``python -m ffzoo.report``: one page of all finished studies in a folder."""

from __future__ import annotations

import sys

from ffzoo.cli.report import main

if __name__ == "__main__":
    sys.exit(main())
