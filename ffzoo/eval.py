"""``python -m ffzoo.eval``: train an algorithm, measure it, test it once."""

from __future__ import annotations

import sys

from ffzoo.cli.train import main

if __name__ == "__main__":
    sys.exit(main())
