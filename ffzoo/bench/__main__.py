"""``python -m ffzoo.bench``: run an experiment, or go on with it."""

from __future__ import annotations

import sys

from ffzoo.cli.bench import main

if __name__ == "__main__":
    sys.exit(main())
