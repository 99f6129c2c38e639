"""The layer-local engine: trains any recipe, and runs each block's backward inside the forward walk.

A step walks the backbone once. After block l it reads the features, computes the block's local loss,
runs the backward of that loss alone, updates the block, and hands a detached, normalised copy of the
features to block l + 1; so the graph of one block lives at a time. With ``isolation="none"`` the same
walk keeps the graph and ends with one backward: that is backprop, by the same code.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from functools import cached_property, partial
from typing import Any, cast

import torch
from torch import Tensor, nn

from ffzoo.algorithms.closed_form import ClosedForm
from ffzoo.algorithms.contract import Metrics, as_batch
from ffzoo.algorithms.making import (
    check_channels,
    check_terms,
    forward_norm,
    label_embedding,
    make_goodness_part,
    make_part,
)
from ffzoo.algorithms.meaning import meaning
from ffzoo.algorithms.optimizers import HEAD, BlockOptimizers, learning_rate_factor
from ffzoo.algorithms.options import FitOptions
from ffzoo.algorithms.recipe import Recipe
from ffzoo.algorithms.step import Step
from ffzoo.algorithms.stepping import SteppingAlgorithm
from ffzoo.algorithms.views import Views
from ffzoo.algorithms.walk import BlockWalk
from ffzoo.backbones.base import Backbone, full_precision
from ffzoo.backbones.batchnorm import buffers_untouched, enough_values, has_batch_statistics, split_statistics
from ffzoo.data.batch import Batch, Samples
from ffzoo.errors import RecipeError
from ffzoo.parts.base import (
    Build,
    Context,
    Fusion,
    FusionBuild,
    Goodness,
    LabelEmbedding,
    LocalLoss,
    Negatives,
    Schedule,
    View,
)
from ffzoo.parts.norms import Normalization
from ffzoo.registry.choices import find


class RecipeAlgorithm(SteppingAlgorithm):
    """A recipe on a backbone.

    Args:
        backbone: the blocks.
        num_classes: K.
        config: the recipe.
        fit: optimizer, learning rate and their schedule.

    Attributes:
        meaning: what follows from the recipe's parts.
        walk: one pass over the blocks.

    Raises:
        RecipeError: the parts do not fit together, or do not fit the backbone.
    """

    def __init__(self, backbone: Backbone, num_classes: int, config: Recipe, fit: FitOptions) -> None:
        config.validate()
        recipe = config.resolved()
        super().__init__(backbone, num_classes, recipe, fit)
        self.meaning = meaning(recipe)
        self.isolation, self.fusion_grad = recipe.isolation, recipe.fusion_grad
        self.fusion, self.coupling = self.meaning.fusion, self.meaning.coupling
        self.needs_validation = self.meaning.calibrates
        generator = torch.Generator().manual_seed(int(torch.randint(2**31, ())))
        depth, shapes = backbone.depth, backbone.feature_shapes

        if not recipe.train_blocks:
            backbone.requires_grad_(False)  # what a model already has frozen stays so
        labels = label_embedding(recipe.label_embedding, backbone)
        self.label_embedding: LabelEmbedding = make_part("label_embeddings", labels, num_classes)
        self.label_embedding.attach(backbone.input_shape, shapes, generator)
        self.negatives: Negatives = make_part("negatives", recipe.negatives, num_classes)
        self.schedule: Schedule = make_part("schedules", recipe.schedule, depth)
        norm = forward_norm(recipe.forward_norm, backbone)
        # norms[l] stands in front of block l and is trained by it: behind a stop-gradient the block
        # before could not.
        self.norms = nn.ModuleList(
            nn.Identity() if l == 0 else make_part("normalizations", norm, shapes[l - 1]) for l in range(depth)
        )
        check_channels(backbone, self.norms, norm, self.label_embedding, labels)
        self.goodness_norms = nn.ModuleList(make_part("normalizations", recipe.goodness_norm, s) for s in shapes)
        self.weights: list[list[float]] = []  # of the terms, block by block
        self.goodness, self.local_losses = nn.ModuleList(), nn.ModuleList()
        together: dict[str, Any] = {}
        for l, shape in enumerate(shapes):
            chosen = [t for t in recipe.terms if t.blocks == "all" or l == depth - 1]
            if self.isolation != "none" and not chosen:
                raise RecipeError(
                    f"block {l + 1} of {depth} has no term, so nothing would train it; "
                    f"with isolation={self.isolation} expected at least one term with blocks=all"
                )
            build = Build(shape, num_classes, l, depth, generator, fit.label_smoothing, shapes, together)
            self.weights.append([t.weight * recipe.depth_weight(l, depth) for t in chosen])
            self.goodness.append(nn.ModuleList(make_goodness_part(t.goodness, build, backbone) for t in chosen))
            self.local_losses.append(nn.ModuleList(make_part("local_losses", t.loss, build) for t in chosen))
        self.shared = nn.ModuleDict({key: part for key, part in together.items() if isinstance(part, nn.Module)})

        negatives = find("negatives", recipe.negatives)[0].name
        check_terms(self.terms(depth - 1), self.negatives, negatives, self.meaning.labelled)
        if self.meaning.fusion_reads == "scores" and self.meaning.score is None:
            raise RecipeError(
                f"fusion={self.fusion} adds up blocks' scores of classes, but no block has any: without a label "
                "embedding a sample goodness knows no classes; expected fusion=concat_linear"
            )
        scored = sum(any(g.kind == self.meaning.score for g, _, _ in self.terms(l)) for l in range(depth))
        fusion_build = FusionBuild(shapes, num_classes, self.meaning.score, scored)
        self.fusion_head: Fusion = make_part("fusions", recipe.fusion, fusion_build)
        if self.negatives.reads_prediction and self.fusion_head.fits:
            raise RecipeError(
                f"negatives={negatives} reads the prediction in every step, but fusion={self.fusion} is fitted after "
                "the last one; expected a fusion that is trained in steps, such as fusion=concat_linear"
            )
        self.batch_statistics = has_batch_statistics(self)
        self.notes = self.label_embedding.notes(backbone.input_shape)
        self.walk = BlockWalk(self, self.norms, self.cuts, self.label_embedding)
        self.closed_form = ClosedForm(self)

    @cached_property
    def optimizers(self) -> BlockOptimizers:
        """See :class:`~ffzoo.algorithms.stepping.SteppingAlgorithm`."""
        blocks = range(self.backbone.depth)
        heads = [*self.fusion_head.parameters(), *self.shared.parameters()]
        if any(goodness.reads_output for l in blocks for goodness, _, _ in self.terms(l)):
            heads += [p for name, p in self.backbone.named_parameters() if self.backbone.owner(name) is None]
        return BlockOptimizers(
            map(self.own_parameters, blocks), heads, self.fit_options, getattr(self.fusion_head, "lr", None)
        )

    def terms(self, block: int) -> list[tuple[Goodness, LocalLoss, float]]:
        """Return goodness, loss and weight of each term of a block."""
        goodness = cast("nn.ModuleList", self.goodness[block])
        losses = cast("nn.ModuleList", self.local_losses[block])
        return cast("Any", list(zip(goodness, losses, self.weights[block], strict=True)))

    def own_parameters(self, block: int) -> list[nn.Parameter]:
        """Return the parameters that a block trains: its own, those of the norm before it and of its goodness."""
        modules = (self.norms, self.goodness_norms, self.goodness, self.local_losses)
        labels = [p for key, p in self.label_embedding.named_parameters() if self.label_embedding.owner(key) == block]
        return self.backbone.block_parameters(block) + [p for m in modules for p in m[block].parameters()] + labels

    def owner(self, key: str) -> int | None:
        """See :meth:`ffzoo.Algorithm.owner`."""
        if key.startswith("optimizer."):
            return BlockOptimizers.owner(key)
        module, _, rest = key.partition(".")
        if module == "backbone":
            return self.backbone.owner(rest)
        if module == "label_embedding":
            return self.label_embedding.owner(rest)
        if module in ("norms", "goodness_norms", "goodness", "local_losses"):
            return int(rest.split(".")[0])
        return None

    # ---------------------------------------------------------------- which block learns when

    def cuts(self, l: int) -> bool:
        """Return whether the gradient stops behind block ``l`` in the step at hand."""
        return self.isolation == "local" or (self.isolation == "overlap" and (l + self.step_count) % 2 == 1)

    def learns(self, l: int) -> bool:
        """Return whether block ``l``'s own losses teach anything in the step at hand."""
        if self.isolation == "overlap" and not self.cuts(l):
            return False
        if self.step_count >= self.total_steps:
            return True
        start, end = self.schedule.window(l)
        return start <= self.step_count / self.total_steps < end

    def set_rates(self) -> None:
        """Set the learning rates of the step at hand: a block's schedule runs over its window."""
        self.optimizers.set_rate(self.rate())
        if self.step_count >= self.total_steps:
            return
        progress = self.step_count / self.total_steps
        for l in range(self.backbone.depth):
            start, end = self.schedule.window(l)
            if (start, end) != (0.0, 1.0) and start <= progress < end:
                self.optimizers.set_rate(learning_rate_factor(self.fit_options, (progress - start) / (end - start)), l)

    @property
    def streams(self) -> bool:
        """Whether each block's backward runs inside the forward walk."""
        return self.execution.streaming and self.isolation != "none" and self.fusion_grad == "detached"

    @property
    def needs_no_graph(self) -> bool:
        """Whether a block learns without autograd wherever it learns."""
        return self.streams and self.execution.closed_form and self.closed_form.fits()

    # ---------------------------------------------------------------- a step

    def compiled_alone(self) -> Iterable[nn.Module]:
        """See :class:`~ffzoo.algorithms.stepping.SteppingAlgorithm`; a closed form is compiled as a whole."""
        return () if self.needs_no_graph else (*super().compiled_alone(), *self.norms)

    def start(self, train: Samples, epochs: int) -> None:
        """Let the parts see the training set too."""
        super().start(train, epochs)
        for l in range(self.backbone.depth):
            for goodness, loss, _ in self.terms(l):
                goodness.prepare(train)
                loss.prepare(train)

    def inputs_of(self, batch: Batch) -> Tensor:
        """Return the positive view, with its label where labels enter the input."""
        return self.label_embedding(self.negatives.positive(batch.x), batch.y)

    def train_step(self, batch: Batch | Tensor, y: Tensor | None = None) -> Metrics:
        """Take one step; return ``loss/l`` and ``accuracy/l`` (or ``pairs/l``) per block, and ``loss/fusion``."""
        batch = as_batch(batch, y, self.num_classes)
        if not self.training:  # a walk over all modules, at every step, would be felt
            self.train()
        self.set_rates()
        views = self.views_of(batch)
        depth = self.backbone.depth
        without_graph = self.needs_no_graph and all(map(self.learns, range(depth)))
        metrics: Metrics = {}
        for step in self.chunks(batch, metrics, self._update if self.streams else None):
            chunk = views.rows(step.rows)
            with enough_values(len(batch.y)):
                if without_graph:
                    self.closed_form(chunk, step)
                else:
                    step.finish(self._forward(chunk, step))
        if not self.streams:
            for l in range(depth):
                self.optimizers.step(l)
        self.optimizers.step(HEAD)
        self.step_count += 1
        return metrics

    def _update(self, l: int) -> None:
        """Update block ``l``, and the one before where this one's loss reached it."""
        if l and not self.cuts(l - 1):
            self.optimizers.step(l - 1)
        self.optimizers.step(l)

    def losses(self, batch: Batch) -> list[Tensor]:
        """Return each block's loss and, where the fusion is trained, its loss; all with their graphs."""
        step = Step.of(batch)
        with buffers_untouched(self):
            head = self._forward(self.views_of(batch), step)
        blocks = [step.losses.get(l, batch.x.new_zeros(())) for l in range(self.backbone.depth)]
        return blocks if head is None else [*blocks, head]

    def views_of(self, batch: Batch) -> Views:
        """Return the positive view, the negative one, and the neutral one that only a fusion of features reads."""
        positive = self.negatives.positive(batch.x)
        views = [View(positive, batch.y, +1)]
        if self.meaning.contrasts:
            prediction = (self.predict(batch.x),) if self.negatives.reads_prediction else ()
            x, y = self.negatives(batch.x, batch.y, batch.generator, *prediction)
            views.append(View(x, y, self.negatives.sign))
        if self.meaning.labelled and self.meaning.fusion_reads == "features":
            views.append(View(positive, None, 0))
        return Views(tuple(views), batch.y)

    def whole_batch_for(self) -> str | None:
        """See :class:`~ffzoo.algorithms.stepping.SteppingAlgorithm`."""
        if self.batch_statistics:
            return "batch statistics"
        parts = [part for l in range(self.backbone.depth) for g, loss, _ in self.terms(l) for part in (g, loss)]
        return "a loss over the whole batch" if any(part.batch_level for part in parts) else None

    def _forward(self, views: Views, step: Step) -> Tensor | None:
        """Walk over all views once; let each block learn, and return the fusion's loss."""
        others = self._other_scores(views, step) if "others" in self.meaning.requires else None
        fused: list[Tensor] = []

        def read(l: int, out: Any) -> bool:
            learns = self.learns(l)
            h = self.backbone.features(l, out)
            with contextlib.nullcontext() if learns else torch.no_grad():
                # Without a graph, yet a part of something that needs one, a chunk would confuse torch's hooks.
                ctx = self.context(views, step, l, () if others is None else others[l])
                loss = self._loss(h if learns else h.detach(), out, views, ctx, step)
            if self.meaning.fusion_reads == "features":
                view = full_precision(h).chunk(len(views))[views.neutral]
                f = self.fusion_head.feature(l, view if self.fusion_grad == "one_hop" else view.detach())
                fused.extend([] if f is None else [f])
            if loss is not None and learns:
                step.learn(l, loss)
            return loss is not None or self.meaning.fusion_reads == "features"

        with self._statistics(len(views)):
            self.walk(views.join(self.label_embedding), read, views.labels)
        head = self.fusion_head.loss(fused, views.y) if fused else None
        if head is not None:
            step.note("loss/fusion", head)
        return head

    def context(self, views: Views, step: Step, l: int, others: tuple[Tensor, ...] = ()) -> Context:
        """Return what block ``l``'s parts may know in a step."""
        x = views.each[0].x if "input" in self.meaning.requires else None
        depth = self.backbone.depth
        return Context(views.y, views.signs, l, depth, step.epoch, True, step.generator, x, others)

    @torch.no_grad()
    def _other_scores(self, views: Views, step: Step) -> list[tuple[Tensor, ...]]:
        """Return for each block and view the sum of the other blocks' scores, before anything is updated."""
        with buffers_untouched(self):
            found = [of_terms[0] for of_terms in self.term_scores(views, step)]
        totals = [torch.stack(of_view).sum(0) for of_view in zip(*found, strict=True)]
        return [tuple(t - own for t, own in zip(totals, of_block, strict=True)) for of_block in found]

    def term_scores(self, views: Views, step: Step) -> list[list[tuple[Tensor, ...]]]:
        """Return by block, term and view the scores of one walk; the neutral view has none."""
        found: list[list[tuple[Tensor, ...]]] = []

        def read(l: int, out: Any) -> bool:
            h, ctx = self.backbone.features(l, out), self.context(views, step, l)
            found.append([self._scores_of(goodness, h, out, views, ctx) for goodness, _, _ in self.terms(l)])
            return True

        with self._statistics(len(views)):
            self.walk(views.join(self.label_embedding), read, views.labels)
        return found

    def _scores_of(self, goodness: Goodness, h: Tensor, out: Any, views: Views, ctx: Context) -> tuple[Tensor, ...]:
        """Return a goodness's score of each view but the neutral one."""
        of_views = views.split(h)[: len(ctx.signs)]
        if goodness.reads_output:
            return tuple(goodness(out, ctx) for _ in of_views)
        return tuple(goodness(self._read_by(goodness, ctx.block, view), ctx) for view in of_views)

    def _loss(self, h: Tensor, out: Any, views: Views, ctx: Context, step: Step) -> Tensor | None:
        """Return the weighted sum of a block's terms; None for a block without any."""
        total: Tensor | None = None
        for goodness, loss, weight in self.terms(ctx.block):
            scores = self._scores_of(goodness, h, out, views, ctx)
            value = weight * loss(scores[: loss.views], ctx)
            if goodness.kind == "class":
                step.note(f"accuracy/{ctx.block + 1}", (scores[0].argmax(1) == views.y).float().mean())
            elif goodness.kind == "sample" and len(scores) > 1:
                step.note(f"pairs/{ctx.block + 1}", (scores[0] > scores[1]).float().mean())
            step.note(f"loss/{ctx.block + 1}", value)
            total = value if total is None else total + value
        return total

    def _read_by(self, goodness: Goodness, l: int, h: Tensor) -> Tensor:
        """Return features as a goodness reads them: normalized as the recipe says, float32 unless it takes less."""
        norm = self.goodness_norms[l]
        return h if goodness.reads_half and type(norm) is Normalization else norm(full_precision(h))

    def _statistics(self, views: int) -> contextlib.AbstractContextManager[Any]:
        """Give each view batch statistics of its own."""
        stack = contextlib.ExitStack()
        if views > 1 and self.batch_statistics:
            for module in (self.backbone, self.norms):
                stack.enter_context(split_statistics(module, views))
        return stack

    # ---------------------------------------------------------------- inference

    @property
    def blocks_score_cheaply(self) -> bool:
        """See :meth:`ffzoo.Algorithm.blocks_score_cheaply`: False where only the blocks take a pass for each class."""
        return self.meaning.score != "sample" or self.meaning.fusion_reads == "scores"

    def readings(self) -> dict[str, float]:
        """Return what each block's goodness has to tell of itself."""
        return {
            f"{name}/{l + 1}": value
            for l in range(self.backbone.depth)
            for goodness, _, _ in self.terms(l)
            for name, value in goodness.readings().items()
        }

    @torch.no_grad()
    def scores(self, x: Tensor) -> tuple[Tensor, list[Tensor | None] | None]:
        """See :meth:`ffzoo.Algorithm.scores`; a sample goodness is read for every candidate label."""
        with self.evaluating():
            blocks = self._block_scores(x)
            if self.meaning.fusion_reads == "scores":
                assert blocks is not None
                return self.fusion_head([b for b in blocks if b is not None]), blocks
            return self.fusion_head(self.fusion_features(x)), blocks

    @torch.no_grad()
    def predict(self, x: Tensor) -> Tensor:
        """See :meth:`ffzoo.Algorithm.predict`; a fusion of features takes one pass, with the neutral label."""
        if self.meaning.fusion_reads == "scores":
            return self.scores(x)[0]
        with self.evaluating():
            return self.fusion_head(self.fusion_features(x))

    @torch.no_grad()
    def features(self, x: Tensor) -> list[Tensor]:
        """See :meth:`ffzoo.Algorithm.features`; labels enter as the neutral one."""
        with self.evaluating():
            return self._collect(x, None, lambda l, out: full_precision(self.backbone.features(l, out)))

    def fusion_features(self, x: Tensor) -> list[Tensor]:
        """Return what the fusion keeps of each block that it reads."""
        kept = [self.fusion_head.feature(l, h) for l, h in enumerate(self.features(x))]
        return [f for f in kept if f is not None]

    def _collect(self, x: Tensor, y: Tensor | None, read: Callable[[int, Any], Any]) -> list[Any]:
        """Return what ``read(l, out)`` makes of each block's output in one walk."""
        found: list[Any] = []

        def visit(l: int, out: Any) -> bool:
            found.append(read(l, out))
            return True

        self.walk(self.label_embedding(self.negatives.positive(x), y), visit, [y])
        return found

    def _block_scores(self, x: Tensor) -> list[Tensor | None] | None:
        """Return ``(B, K)`` per block; with a sample goodness in K passes, one for each candidate label."""
        if self.meaning.score is None:
            return None
        if self.meaning.score == "class":
            return self._collect(x, None, partial(self._score, y=None))
        candidates = [torch.full((x.shape[0],), k, device=x.device) for k in range(self.num_classes)]
        passes = [self._collect(x, y, partial(self._score, y=y)) for y in candidates]
        return [None if block[0] is None else torch.stack(block, 1) for block in zip(*passes, strict=True)]

    def _score(self, l: int, out: Any, y: Tensor | None) -> Tensor | None:
        """Return the score of a block's first term that scores classes; None when it has none."""
        for goodness, _, _ in self.terms(l):
            if goodness.kind == self.meaning.score:
                ctx = Context(y, (1,), l, self.backbone.depth, 0, False, None)
                h = out if goodness.reads_output else self._read_by(goodness, l, self.backbone.features(l, out))
                return goodness(h, ctx)
        return None

    def finish(self, train: Samples, validation: Samples | None) -> None:
        """Let the fusion fit what it fits on the training set, and choose on the validation set."""
        if self.fusion_head.fits:
            with torch.no_grad(), self.evaluating():
                seen = [(self.fusion_features(b.x), b.y) for b in train]
            blocks = [torch.cat(block) for block in zip(*(features for features, _ in seen), strict=True)]
            self.fusion_head.fit(blocks, torch.cat([y for _, y in seen]))
        if validation is None or not self.fusion_head.calibrates:
            return
        with torch.no_grad(), self.evaluating():
            read = [(self._block_scores(b.x), b.y) for b in validation]
        scored = [[b for b in blocks if b is not None] for blocks, _ in read if blocks is not None]
        blocks = [torch.cat(block) for block in zip(*scored, strict=True)]
        self.fusion_head.calibrate(blocks, torch.cat([y for _, y in read]))
