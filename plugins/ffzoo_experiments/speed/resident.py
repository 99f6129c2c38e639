"""Peak resident memory of one arm, in a process of its own: ``python -m ffzoo_experiments.speed.resident JSON``.

In a process that has run other arms before, what they freed and the allocator kept would hide the peak.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any, Literal

from ffzoo.bench import replace, to_json
from ffzoo.plugin import Study
from ffzoo_experiments.speed.arms import Arm, arms_of, batch_of, build
from ffzoo_experiments.speed.options import Speed

_STEPS = 3


def peak_rss(config: Speed, arm: Arm, precision: Literal["fp32", "bf16"], study: Study) -> int | None:
    """Bytes by which resident memory grows over a few steps; None where the system does not tell.

    Raises:
        RuntimeError: the process failed; the text is its last line.
    """
    import torch

    asked = {
        "options": to_json(config),
        "arm": arm.name,
        "precision": precision,
        "threads": torch.get_num_threads(),
        "plugins": study.plugins,
    }
    command = [sys.executable, "-m", "ffzoo_experiments.speed.resident", json.dumps(asked)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or [f"status {done.returncode}"]
        raise RuntimeError(f"the process that measures {arm.name!r} failed: {last[0]}")
    found: int | None = json.loads(done.stdout.splitlines()[-1])
    return found


def measured(asked: dict[str, Any]) -> int | None:
    """What the process computes.

    Args:
        asked: options, name of the arm, precision, number of threads and plugin files.
    """
    import torch

    from ffzoo.bench import ZOO, environment

    for path in asked["plugins"]:
        ZOO.load_file(path)
    torch.set_num_threads(asked["threads"])
    environment.keep_freed_memory()
    config = replace(Speed(), asked["options"], "")
    arm = next(arm for arm in arms_of(config) if arm.name == asked["arm"])
    device = torch.device("cpu")
    algorithm, batch = build(config, arm, asked["precision"], device), batch_of(config, device)
    # The peak since a reset, not that of getrusage: a child's begins with its parent's, on Linux.
    environment.reset_peak_memory(device)
    before = environment.peak_memory_bytes(device)
    for _ in range(_STEPS):
        algorithm.train_step(batch)
    after = environment.peak_memory_bytes(device)
    return None if before is None or after is None else after - before


if __name__ == "__main__":
    print(json.dumps(measured(json.loads(sys.argv[1]))))
