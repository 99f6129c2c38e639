"""What ``compare`` writes for a paper: a paragraph of methods, a LaTeX table, the references."""

from __future__ import annotations

import statistics

from ffzoo.bench import ZOO, Found, card_of, gap_of, planned
from ffzoo.plugin import Grid
from ffzoo_experiments.compare.options import Own


def methods(config: Own, grid: Grid, found: Found) -> str:
    """What was run, in words that a paper could use."""
    lines = [
        f"We compared {', '.join(config.algos)} with ffzoo. On each data set all algorithms shared the network, "
        "initial weights where modules are equal, the order of the data, augmentation and optimizer."
    ]
    for condition in grid.conditions:
        run = planned(grid, condition, grid.arms[0], grid.seeds[0], 1.0, False)
        fit, epochs = run.fit, f"{run.fit.epochs} epochs"
        if condition.name in grid.matched_epochs:
            counts = [arm[grid.seeds[0]]["train_flops"] for arm in found.runs[condition.name].values() if arm]
            spread = max(counts) / min(counts) if counts else 1.0
            each = ", ".join(f"{arm} {n}" for arm, n in grid.matched_epochs[condition.name].items())
            epochs = f"epochs matched in floating-point operations ({each}; the most is {spread:.2f} times the least)"
        lines.append(
            f"{condition.name}: {run.backbone}, batches of {fit.batch_size}, {fit.optimizer}, weight decay "
            f"{fit.weight_decay:g}, {fit.schedule} schedule, augmentation {', '.join(fit.augment) or 'none'}, {epochs}."
        )
    tried = ", ".join(f"{f:.2g}" for f in grid.factors)
    lines.append(
        f"For each algorithm and data set {len(grid.factors)} learning rate(s), {tried} times the algorithm's own, "
        f"were tried with seed {grid.seeds[0]}; accuracy on a held-out part of the training data chose. The chosen "
        f"rate was trained with {len(grid.seeds)} seed(s), and the test data were read once a run. Gaps are paired by "
        "seed; intervals are 95 % intervals of the t distribution."
    )
    return " ".join(lines) + "\n"


def latex(config: Own, found: Found) -> str:
    """The table of accuracies; it needs the package booktabs."""
    heads = " & ".join(["Algorithm", *map(_escaped, config.datasets)])
    lines = [r"\begin{tabular}{l" + "c" * len(config.datasets) + "}", r"\toprule", heads + r" \\", r"\midrule"]
    for number, algo in enumerate(config.algos):
        cells = []
        for dataset in config.datasets:
            values = [100 * cell["test_accuracy"] for cell in found.runs[dataset][algo].values()]
            if not values:
                cells.append("--")
                continue
            spread = rf" \pm {statistics.stdev(values):.2f}" if len(values) > 1 else ""
            gap = gap_of(found, dataset, config.algos[0], algo) if number else None
            mark = r"^{*}" if gap is not None and gap.sign else ""
            cells.append(f"${statistics.fmean(values):.2f}{spread}{mark}$")
        cited = card_of(ZOO["algorithms"].get(algo))
        cite = "" if cited is None else rf"~\cite{{{algo}}}"
        lines.append(" & ".join([_escaped(algo) + cite, *cells]) + r" \\")
    lines += [r"\bottomrule", r"\end{tabular}"]
    star = f"% * the paired 95 % interval of {config.algos[0]} minus this algorithm excludes 0"
    return "\n".join([*lines, star]) + "\n"


def _escaped(name: str) -> str:
    return name.replace("_", r"\_")


def references(config: Own) -> str:
    """BibTeX entries, from the cards."""
    entries = []
    for algo in config.algos:
        card = card_of(ZOO["algorithms"].get(algo))
        if card is not None:
            authors = card.authors.replace(", ", " and ").replace(" et al.", " and others")
            fields = {"title": f"{{{card.title}}}", "author": authors, "year": str(card.year), "url": card.url}
            body = ",\n".join(f"  {key} = {{{value}}}" for key, value in fields.items() if value)
            entries.append(f"@misc{{{algo},\n{body}\n}}\n")
    return "\n".join(entries)
