"""The smallest ``speed``, for tests of studies, the command and the experiment."""

from __future__ import annotations

import torch

from ffzoo_experiments.speed.options import Speed

CPU = torch.device("cpu")

TINY = Speed(
    algos=("dtg_ff",),
    width=4,
    depth=4,
    side=8,
    classes=4,
    batch_size=8,
    micro_batches=(4,),
    compiled=False,
    precisions=("fp32",),
    rounds=2,
    scaling=False,
    memory_rss=False,
    device="cpu",
)


def settings(config):
    """A config as the command line has it."""
    written = {k: ",".join(map(str, v)) if isinstance(v, tuple) else str(v) for k, v in vars(config).items()}
    return [part for key, value in written.items() for part in ("--set", f"{key}={value}")]
