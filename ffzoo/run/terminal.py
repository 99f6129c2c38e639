"""What a person sees: the plan, the progress, the table."""

from __future__ import annotations

import statistics
import sys
import time
import warnings
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich import progress as bars
from rich.box import SIMPLE_HEAD
from rich.console import Console, RenderableType
from rich.markup import escape
from rich.table import Table

from ffzoo.errors import DataWarning
from ffzoo.run.observers import Observer, Run

if TYPE_CHECKING:
    from ffzoo.algorithms.contract import Metrics
    from ffzoo.backbones.base import Backbone
    from ffzoo.data.bundle import DataBundle
    from ffzoo.run.results import Evaluation, RunResult
    from ffzoo.run.spec import RunConfig

_ESTIMATE_AFTER = 20  # steps: the first ones are slower and would promise too long a run
_REFRESH = 10
_CLASSES = 20  # names of classes that are shown


def console() -> Console:
    """Return standard output; wide enough for a table where there is no terminal to ask."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else 120)


def show(out: Console, *what: RenderableType) -> None:
    """Print without the blanks that pad a table's last column: a line in a pipe or a file ends where its text does."""
    with out.capture() as captured:
        for item in what:
            out.print(item)
    for line in captured.get().splitlines():
        out.file.write(line.rstrip() + "\n")


def mebibytes(count: int | None) -> str:
    """Return bytes as MiB, or a dash for what was not measured."""
    return "-" if count is None else f"{count / 2**20:,.{1 if count < 2**27 else 0}f}"


def percent(value: float | None) -> str:
    """Return ``97.50``, or a dash for what was not measured."""
    return "-" if value is None else f"{100 * value:.2f}"


def _numbered(names: Sequence[str]) -> str:
    """Return ``0: cat, 1: dog``: which output is which class."""
    shown = [f"{number}: {name}" for number, name in enumerate(names[:_CLASSES])]
    return ", ".join(shown) + (f" and {len(names) - _CLASSES} more" if len(names) > _CLASSES else "")


class Progress(Observer):
    """Progress over all runs of a command: a bar on a terminal, one line per epoch elsewhere; both on standard error.

    Args:
        steps: training steps of each run.
    """

    def __init__(self, steps: Sequence[int]) -> None:
        self.steps, self.total, self.ended, self.done, self.fresh = steps, sum(steps), 0, 0, 0
        self.begun = time.monotonic()
        self.run: Run | None = None
        self.validation: float | None = None
        self.console = Console(stderr=True, highlight=False)
        self.bar = bars.Progress(
            bars.TextColumn("{task.description}"),
            bars.BarColumn(),
            bars.MofNCompleteColumn(),
            bars.TimeElapsedColumn(),
            bars.TextColumn("{task.fields[left]}"),
            bars.TextColumn("{task.fields[words]}"),
            console=self.console,
            disable=not self.console.is_terminal,
        )
        self.task = self.bar.add_task("", total=self.total, words="", left="")
        self.bar.start()

    def start(self, run: Run) -> None:
        """Name the run; the epochs it had before count as done."""
        self.run, self.validation = run, None
        self.done += run.steps * run.epochs_done
        self.bar.update(self.task, completed=self.done, description=escape(run.config.label))
        if self.bar.disable and len(self.steps) > 1:
            print(run.config.label, file=sys.stderr, flush=True)

    def step(self, metrics: Metrics) -> None:
        """Count a step; say now and then how well the blocks do."""
        self.done += 1
        self.fresh += 1
        if self.bar.disable:
            return
        if self.fresh % _REFRESH == 0:
            words = [f"{name} {100 * float(metrics[key]):.1f}%" for key, name in _last_accuracy(metrics)]
            if self.validation is not None:
                words.append(f"val {100 * self.validation:.1f}%")
            self.bar.update(self.task, words=", ".join(words))
        self.bar.update(self.task, completed=self.done, left=self._left())

    def _left(self) -> str:
        """Return the time that is left, as soon as enough steps were taken to tell."""
        if self.fresh < _ESTIMATE_AFTER or self.done >= self.total:
            return ""
        seconds = (time.monotonic() - self.begun) / self.fresh * (self.total - self.done)
        return f"left {timedelta(seconds=round(seconds))}"

    def epoch(self, epoch: int, means: Mapping[str, float]) -> None:
        """Print a line where there is no bar."""
        self.validation = means.get("validation_accuracy")
        if not self.bar.disable:
            return
        assert self.run is not None
        losses = [v for k, v in means.items() if k.startswith("loss/") and k != "loss/fusion"]
        loss = f"loss {statistics.fmean(losses):.4f}" if losses else ""
        words = [f"epoch {epoch}/{self.run.config.fit.epochs}", loss]
        words += [f"{name} {100 * float(means[key]):.1f}%" for key, name in _last_accuracy(means)]
        words.append(f"val {100 * self.validation:.1f}%" if self.validation is not None else "")
        words.append(self._left())
        print("  ".join(w for w in words if w), file=sys.stderr, flush=True)

    def end(self, result: RunResult) -> None:
        """Count all steps of the run, also of one that was finished before."""
        self.ended += 1
        self.done = sum(self.steps[: self.ended])
        self.bar.update(self.task, completed=self.done)

    def close(self, evaluation: Evaluation | None) -> None:
        """Leave the bar as it stands."""
        self.bar.stop()


def _last_accuracy(metrics: Any) -> list[tuple[str, str]]:
    """Return the last block's training accuracy, or its share of pairs in the right order."""
    for prefix, name in (("accuracy/", "train"), ("pairs/", "pairs")):
        keys = [k for k in metrics if k.startswith(prefix)]
        if keys:
            return [(max(keys, key=lambda k: int(k.split("/")[1])), name)]
    return []


class Reporter:
    """Writes to the terminal, or to nobody.

    Args:
        enabled: False for silence.
    """

    def __init__(self, enabled: bool) -> None:
        self.enabled = enabled
        self.console = console()
        self.described = ""

    def note(self, text: str) -> None:
        """Print one line."""
        if self.enabled:
            self.console.print(text)

    def warn(self, text: str) -> None:
        """Print what a user should know; where nothing is printed, warn."""
        if self.enabled:
            self.console.print(f"  [bold]note[/bold]   {escape(text)}")
        else:
            warnings.warn(text, DataWarning, stacklevel=2)

    def plan(
        self, runs: Sequence[RunConfig], data: DataBundle, out: Path | None, device: str, files: bool = True
    ) -> None:
        """Print what will be run on what, and where its files go if it has any."""
        first = runs[0]
        algorithm, *others = dict.fromkeys(r.algorithm.name for r in runs)
        names = f"{algorithm} against {', '.join(others)}" if others else algorithm
        seeds = ", ".join(dict.fromkeys(str(r.fit.seed) for r in runs))
        shape = "x".join(map(str, data.shape))
        held = len(data.validation) if data.validation is not None else 0
        self.note(f"[bold]{names}[/bold] on {data.name}, backbone {first.backbone}, {device}, seed {seeds}")
        self.note(
            f"  data   {len(data.train):,} training, {held:,} validation, {len(data.test):,} test samples of "
            f"{shape}, {data.num_classes} classes ({data.split})"
        )
        if data.reading:
            self.note(f"  images {escape(data.reading)}")
        if any(name != str(number) for number, name in enumerate(data.class_names)):
            self.note(f"  classes {escape(_numbered(data.class_names))}")
        for text in data.notes:
            self.warn(text)
        for run in {r.algorithm.name: r for r in runs}.values():
            f = run.fit
            extra = "".join(
                [
                    f", label smoothing {f.label_smoothing:g}" if f.label_smoothing else "",
                    f", augment {'+'.join(f.augment)}" if f.augment else "",
                    f", {run.execution.precision}" if run.execution.precision != "fp32" else "",
                    ", contiguous maps" if run.execution.memory_format == "contiguous" else "",
                    ", winograd convolutions" if run.execution.convolution == "winograd" else "",
                    f", micro-batches of {run.execution.micro_batch}" if run.execution.micro_batch else "",
                    ", compiled" if run.execution.compile else "",
                    ", blocks recomputed" if run.execution.checkpoint_blocks else "",
                ]
            )
            epochs = f"{run.minutes:.3g} minutes" if run.minutes else f"{f.epochs} epochs"
            rate = f"{f.muon_lr:g}, adamw lr {f.lr:g}" if f.optimizer == "muon" else f"{f.lr:g}"
            self.note(
                f"  {run.algorithm.name}   {epochs}, batch {f.batch_size}, {f.optimizer} lr {rate} {f.schedule}{extra}"
            )
        if len({r.algorithm.name for r in runs}) > 1 and first.own_keys:
            self.note(f"  {', '.join(first.own_keys)} set for {first.algorithm.name} only")
        if files:
            self.note(f"  files  {out if out is not None else 'none (no --out)'}")

    def taken(self, start: str, new: Sequence[str]) -> None:
        """Print what a run begins with."""
        self.note(f"  from   {escape(start)}: weights and buffers; optimizers, schedule and order begin anew")
        modules = dict.fromkeys(name.partition(".")[0] for name in new)
        if modules:
            self.note(
                f"         not taken over, as their shapes differ or they are fitted at the end: {', '.join(modules)}"
            )

    def split(self, backbone: Backbone) -> None:
        """Print how a model that is not the library's own was cut into blocks."""
        text = backbone.describe()
        if backbone.copies_at_cuts and text != self.described:
            self.described = text
            self.note(text)
            if backbone.normalized:
                self.note("the model's own normalization layers stay, on the goodness path too")
            trained = [p.requires_grad for p in backbone.parameters()]
            if not all(trained):
                self.note(
                    f"{trained.count(False)} of {len(trained)} weights and biases are frozen, and stay as they are"
                )
        for text in backbone.cautions:
            self.warn(text)


class ResultTable(Observer):
    """Prints the results when all runs are done."""

    def __init__(self) -> None:
        self.console = console()

    def close(self, evaluation: Evaluation | None) -> None:
        """Print the tables; nothing where the runs did not come to their end."""
        if evaluation is None:
            return
        arms = [evaluation, *(comparison.other for comparison in evaluation.against)]
        results = [r for arm in arms for r in arm.runs]
        head = ("algorithm", "seed", "test %", "images/s", "kept\nMiB", "peak\nMiB", "blocks")
        rows = []
        for arm in arms:
            rows += [_row(r) for r in arm.runs]
            if len(arm.runs) > 1:
                spread = f"{percent(arm.test_accuracy)} ± {percent(arm.test_accuracy_sd)}"
                rows.append([f"[bold]{arm.runs[0].algo}", "mean", f"[bold]{spread}", *[""] * 6])
        self._table([*head, "layers\n/block", "strictly\nlocal"], rows)
        self._per_block(arms)
        first = results[0]
        for arm in arms:
            self.console.print(_declared(arm.runs))
        for comparison in evaluation.against:
            gap, other = comparison.gap, comparison.other.runs[0]
            interval = (
                f", 95 % interval {100 * gap.low:+.2f} to {100 * gap.high:+.2f} ({gap.seeds} seeds)"
                if gap.low is not None and gap.high is not None
                else " (one seed: no interval)"
            )
            if first.epochs != other.epochs:
                interval += f"; {first.epochs} against {other.epochs} epochs: equal time, not equal work"
            self.console.print(f"[bold]{first.algo} minus {other.algo}: {100 * gap.mean:+.2f} points[/bold]{interval}")
        for r in results:
            if r.folder:
                self.console.print(f"written to {r.folder}")

    def _per_block(self, arms: Sequence[Evaluation]) -> None:
        rows = {arm.runs[0].algo: _mean_blocks(arm.runs) for arm in arms}
        known = {name: row for name, row in rows.items() if row is not None and any(v is not None for v in row)}
        if not known:
            return
        blocks = max(len(row) for row in known.values())
        fused = {arm.runs[0].algo: arm.test_accuracy for arm in arms}
        rows_of = [
            [name, *map(percent, row), *[""] * (blocks - len(row)), f"[bold]{percent(fused[name])}"]
            for name, row in known.items()
        ]
        self._table(["test % of block", *map(str, range(1, blocks + 1)), "fused"], rows_of)

    def _table(self, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Print a table; where it is too wide its columns become rows, in as many tables as it takes."""
        for gap in (1, 0):
            table = made_table(head, rows, gap)
            if self._fits(table):
                self.console.print(table)
                return
        turned = [(name.replace("\n", " "), *values) for name, *values in zip(head, *rows, strict=True)]
        first, end = 1, len(rows) + 1
        while first < end:
            for last in range(end, first, -1):
                part = [(row[0], *row[first:last]) for row in turned]
                table = made_table(part[0], part[1:], 1)
                if self._fits(table):
                    break
            self.console.print(table)
            first = last

    def _fits(self, table: Table) -> bool:
        unlimited = self.console.options.update(width=10_000)
        return self.console.measure(table, options=unlimited).maximum <= self.console.width


def made_table(head: Sequence[str], rows: Sequence[Sequence[str]], gap: int) -> Table:
    """Return a table whose first column is aligned left and the others right, with so many blanks between them."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, gap, 0, 0), show_edge=bool(gap))
    for number, name in enumerate(head):
        table.add_column(name, justify="right" if number else "left", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    return table


def _row(r: RunResult) -> list[str]:
    speed = "-" if r.images_per_second is None else f"{r.images_per_second:,.0f}"
    return [
        r.algo,
        str(r.seed),
        f"[bold]{percent(r.test_accuracy)}",
        speed,
        mebibytes(r.saved_activation_bytes),
        mebibytes(r.peak_memory_bytes),
        str(r.blocks),
        str(r.max_weight_layers_per_block),
        f"[bold]{'yes' if r.strictly_local else 'no'}",
    ]


def _declared(runs: Sequence[RunResult]) -> str:
    """Return what an algorithm declares of itself, and what its locality was measured by."""
    r = runs[0]

    def measured(probe: str) -> str:
        found = [x.locality[probe] for x in runs]
        return "not measured" if None in found else "stay in their block" if all(found) else "cross blocks"

    return (
        f"{r.algo}: isolation {r.isolation}, coupling {r.coupling}, fusion {r.fusion}; measured: "
        f"gradients {measured('structural')}, perturbations of later blocks {measured('black_box')}"
    )


def _mean_blocks(runs: Sequence[RunResult]) -> list[float | None] | None:
    rows = [r.per_block_accuracy for r in runs]
    if any(row is None for row in rows):
        return None
    columns = zip(*(row for row in rows if row is not None), strict=True)
    return [None if None in column else statistics.fmean(v for v in column if v is not None) for column in columns]
