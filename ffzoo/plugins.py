"""``python -m ffzoo.plugins``: plugins, what they registered, what was skipped and why."""

from __future__ import annotations

import sys

from ffzoo.cli.plugins import main

if __name__ == "__main__":
    sys.exit(main())
