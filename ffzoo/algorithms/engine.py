"""The layer-local engine: trains any recipe, and runs each block's backward inside the forward walk.

A step walks the backbone once. After block l it reads the features, computes the block's local loss,
runs the backward of that loss alone, updates the block, and hands a detached, normalised copy of the
features to block l + 1; so the graph of one block lives at a time. With ``isolation="none"`` the same
walk keeps the graph and ends with one backward: that is backprop, by the same code.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property, partial
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from ffzoo.algorithms.closed_form import closed_walk, has_closed_form
from ffzoo.algorithms.contract import Metrics, as_batch
from ffzoo.algorithms.making import check_channels, check_terms, forward_norm, make_goodness_part, make_part, score_kind
from ffzoo.algorithms.optimizers import HEAD, BlockOptimizers, learning_rate_factor
from ffzoo.algorithms.options import FitOptions
from ffzoo.algorithms.recipe import Recipe
from ffzoo.algorithms.stepping import SteppingAlgorithm, note
from ffzoo.backbones.base import Backbone, full_precision
from ffzoo.backbones.batchnorm import buffers_untouched, has_batch_statistics, split_statistics
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

    Raises:
        RecipeError: the parts do not fit together, or do not fit the backbone.
    """

    def __init__(self, backbone: Backbone, num_classes: int, config: Recipe, fit: FitOptions) -> None:
        config.validate()
        recipe = config.resolved()
        super().__init__(backbone, num_classes, recipe, fit)
        self.isolation, self.fusion_grad = recipe.isolation, recipe.fusion_grad
        self.fusion = find("fusions", recipe.fusion)[0].name
        self.local = recipe.isolation == "local"
        generator = torch.Generator().manual_seed(int(torch.randint(2**31, ())))
        depth, shapes = backbone.depth, backbone.feature_shapes

        backbone.requires_grad_(recipe.train_blocks)
        self.label_embedding: LabelEmbedding = make_part("label_embeddings", recipe.label_embedding, num_classes)
        self.label_embedding.attach(backbone.input_shape, shapes, generator)
        self.negatives: Negatives = make_part("negatives", recipe.negatives, num_classes)
        self.schedule: Schedule = make_part("schedules", recipe.schedule, depth)
        if recipe.goodness_norm == "auto":
            raise RecipeError("goodness_norm is 'auto', which is a choice of forward_norm; expected none, l2, ...")
        norm = forward_norm(recipe.forward_norm, backbone)
        # norms[l] stands in front of block l and is trained by it: behind a stop-gradient the block
        # before could not.
        self.norms = nn.ModuleList(
            nn.Identity() if l == 0 else make_part("normalizations", norm, shapes[l - 1]) for l in range(depth)
        )
        check_channels(backbone, self.norms, norm, self.label_embedding, recipe.label_embedding)
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
            self.weights.append([t.weight for t in chosen])
            self.goodness.append(nn.ModuleList(make_goodness_part(t.goodness, build, backbone) for t in chosen))
            self.local_losses.append(nn.ModuleList(make_part("local_losses", t.loss, build) for t in chosen))

        self.shared = nn.ModuleDict({key: part for key, part in together.items() if isinstance(part, nn.Module)})
        self.labelled = find("label_embeddings", recipe.label_embedding)[0].name != "none"
        negatives = find("negatives", recipe.negatives)[0].name
        self.contrasts = negatives != "none"
        check_terms(self.terms(depth - 1), self.negatives, negatives, self.labelled)
        self.score_kind = score_kind(self.terms(depth - 1), self.labelled)
        terms = [self.terms(l) for l in range(depth)]
        scored = sum(any(g.kind == self.score_kind for g, _, _ in of_block) for of_block in terms)
        fusion_build = FusionBuild(shapes, num_classes, self.score_kind, scored)
        if find("fusions", recipe.fusion)[0].load().reads == "scores" and self.score_kind is None:
            raise RecipeError(
                f"fusion={self.fusion} adds up blocks' scores of classes, but no block has any: without a label "
                "embedding a sample goodness knows no classes; expected fusion=concat_linear"
            )
        self.fusion_head: Fusion = make_part("fusions", recipe.fusion, fusion_build)
        parts: list[Goodness | LocalLoss] = [p for of_block in terms for g, loss, _ in of_block for p in (g, loss)]
        couplings = {p.coupling for p in parts} | {self.negatives.coupling, self.fusion_head.coupling}
        self.coupling = "+".join(sorted(couplings - {"none"})) or "none"
        self.batch_level = any(p.batch_level for p in parts)
        self.required = {field for p in parts for field in p.requires}
        self.needs_validation = self.fusion_head.calibrates
        self.batch_statistics = has_batch_statistics(self)
        self._of_block = [backbone.block_parameters(l) for l in range(depth)]

    @cached_property
    def optimizers(self) -> BlockOptimizers:
        """See :class:`~ffzoo.algorithms.stepping.SteppingAlgorithm`."""
        blocks = range(self.backbone.depth)
        heads = [*self.fusion_head.parameters(), *self.shared.parameters()]
        if any(goodness.reads_output for l in blocks for goodness, _, _ in self.terms(l)):
            heads += [p for name, p in self.backbone.named_parameters() if self.backbone.owner(name) is None]
        return BlockOptimizers(map(self.own_parameters, blocks), heads, self.fit, getattr(self.fusion_head, "lr", None))

    def terms(self, block: int) -> list[tuple[Goodness, LocalLoss, float]]:
        """Goodness, loss and weight of each term of a block."""
        goodness = cast("nn.ModuleList", self.goodness[block])
        losses = cast("nn.ModuleList", self.local_losses[block])
        return cast("Any", list(zip(goodness, losses, self.weights[block], strict=True)))

    def own_parameters(self, block: int) -> list[nn.Parameter]:
        """The parameters a block trains: its own, those of the norm before it and of its goodness."""
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

    # ---------------------------------------------------------------- training

    def compiled_alone(self) -> Iterable[nn.Module]:
        """See :class:`~ffzoo.algorithms.stepping.SteppingAlgorithm`; a closed form is compiled as a whole."""
        return () if self._learns_closed() else (*super().compiled_alone(), *self.norms)

    def _learns_closed(self) -> bool:
        """Whether a step needs no autograd in the blocks."""
        how = self.execution
        return self._streams() and how.closed_form and has_closed_form(self)

    def _streams(self) -> bool:
        """Whether each block's backward runs inside the forward walk."""
        return self.execution.streaming and self.isolation != "none" and self.fusion_grad == "detached"

    def _cuts(self, l: int) -> bool:
        """Whether the gradient stops behind block ``l`` in the step at hand."""
        return self.local or (self.isolation == "overlap" and (l + self.step_count) % 2 == 1)

    def _learns(self, l: int) -> bool:
        """Whether block ``l``'s own losses teach anything in the step at hand."""
        if self.isolation == "overlap" and not self._cuts(l):
            return False
        if self.step_count >= self.total_steps:
            return True
        start, end = self.schedule.window(l)
        return start <= self.step_count / self.total_steps < end

    def _set_rates(self) -> None:
        """Learning rates of the step at hand: a block's schedule runs over its window."""
        self.optimizers.set_rate(self.rate())
        if self.step_count >= self.total_steps:
            return
        progress = self.step_count / self.total_steps
        for l in range(self.backbone.depth):
            start, end = self.schedule.window(l)
            if (start, end) != (0.0, 1.0) and start <= progress < end:
                self.optimizers.set_rate(learning_rate_factor(self.fit, (progress - start) / (end - start)), l)

    def start(self, train: Samples, epochs: int) -> None:
        """Let the parts see the training part too."""
        super().start(train, epochs)
        for l in range(self.backbone.depth):
            for goodness, loss, _ in self.terms(l):
                goodness.prepare(train)
                loss.prepare(train)

    def train_step(self, batch: Batch | Tensor, y: Tensor | None = None) -> Metrics:
        """One step; returns ``loss/l`` and ``accuracy/l`` (or ``pairs/l``) a block, and ``loss/fusion``."""
        batch = as_batch(batch, y)
        if not self.training:  # a walk over all modules, at every step, would be felt
            self.train()
        self._set_rates()
        views = self._views(batch)
        rows = self.rows(len(batch.y))
        streaming = self._streams()
        closed_form = self._learns_closed() and all(map(self._learns, range(self.backbone.depth)))
        metrics: Metrics = {}
        for i, part in enumerate(rows):
            weight, last = (part.stop - part.start) / len(batch.y), i == len(rows) - 1
            chunk = [view.rows(part) for view in views]
            if closed_form:
                closed_walk(self, chunk, batch.y[part], batch, metrics, weight, last)
                continue
            kept: list[Tensor] = []

            def update(l: int, loss: Tensor, weight: float = weight, last: bool = last) -> None:
                if loss.requires_grad:  # there may be nothing to train in a block that is left as it is
                    (weight * loss).backward()
                if last:
                    for block in (l - 1, l) if l and not self._cuts(l - 1) else (l,):
                        self.optimizers.step(block)

            def keep(l: int, loss: Tensor, kept: list[Tensor] = kept) -> None:
                kept.append(loss)

            head = self._forward(chunk, batch.y[part], batch, update if streaming else keep, metrics, weight)
            if head is not None:
                kept.append(head)
            total = torch.stack(kept).sum() if kept else None
            if total is not None and total.requires_grad:
                (weight * total).backward()
        if not streaming:
            for l in range(self.backbone.depth):
                self.optimizers.step(l)
        self.optimizers.step(HEAD)
        self.step_count += 1
        return metrics

    def losses(self, batch: Batch) -> list[Tensor]:
        """Each block's loss and, where the fusion is trained, its loss; all with their graphs."""
        kept: dict[int, Tensor] = {}
        with buffers_untouched(self):
            head = self._forward(self._views(batch), batch.y, batch, kept.__setitem__, {}, 1.0)
        blocks = [kept.get(l, batch.x.new_zeros(())) for l in range(self.backbone.depth)]
        return blocks if head is None else [*blocks, head]

    def _joined(self, views: Sequence[View]) -> Tensor:
        """The views with their labels as one batch, laid out as the backbone's weights are."""
        embedded = [self.label_embedding(v.x, v.y) for v in views]
        x = torch.cat(embedded) if len(views) > 1 else embedded[0]
        return self.laid_out(x)

    def _views(self, batch: Batch) -> list[View]:
        """Positive, negative, and the neutral view that only a fusion of features reads."""
        positive = self.negatives.positive(batch.x)
        views = [View(positive, batch.y, +1)]
        if self.contrasts:
            read = (self.predict(batch.x),) if self.negatives.reads_prediction else ()
            x, y = self.negatives(batch.x, batch.y, batch.generator, *read)
            views.append(View(x, y, self.negatives.sign))
        if self.labelled and self.fusion_head.reads == "features":
            views.append(View(positive, None, 0))
        return views

    def whole_batch_for(self) -> str | None:
        """See :class:`~ffzoo.algorithms.stepping.SteppingAlgorithm`."""
        if self.batch_statistics:
            return "batch statistics"
        return "a loss over the whole batch" if self.batch_level else None

    def _forward(
        self,
        views: Sequence[View],
        y: Tensor,
        batch: Batch,
        on_loss: Callable[[int, Tensor], None],
        metrics: Metrics,
        weight: float,
    ) -> Tensor | None:
        """One walk over all views; hands out each block's loss and returns the fusion's."""
        others = self._others(views, y, batch) if "others" in self.required else None
        kept: list[Tensor] = []

        def visit(l: int, out: Any) -> Any:
            learns = self._learns(l)
            with self.full_precision():
                h = self.backbone.features(l, out)
                ctx = self._context(views, y, batch, l, () if others is None else others[l])
                with contextlib.nullcontext() if learns else torch.no_grad():
                    # Without a graph, yet a part of something that needs one, a chunk would confuse torch's hooks.
                    loss = self._loss(h if learns else h.detach(), out, len(views), ctx, metrics, weight)
                if self.fusion_head.reads == "features":
                    # The neutral view comes last; where no label enters the input, the positive one is neutral.
                    view = full_precision(h).chunk(len(views))[-1 if views[-1].sign == 0 else 0]
                    f = self.fusion_head.feature(l, view if self.fusion_grad == "one_hop" else view.detach())
                    kept.extend([] if f is None else [f])
                if loss is not None and learns:
                    on_loss(l, loss)
            return self._pass_on(l, out, [v.y for v in views], loss is not None or self.fusion_head.reads == "features")

        with self.autocast(), self._statistics(len(views)):
            self.backbone.walk(self._joined(views), visit)
        head = self.fusion_head.loss(kept, y) if kept else None
        if head is not None:
            note(metrics, "loss/fusion", head, weight)
        return head

    def _context(
        self, views: Sequence[View], y: Tensor, batch: Batch, l: int, others: tuple[Tensor, ...] = ()
    ) -> Context:
        """What block ``l``'s parts may know in a step."""
        signs = tuple(v.sign for v in views if v.sign)
        x = views[0].x if "input" in self.required else None
        return Context(y, signs, l, self.backbone.depth, batch.epoch, True, batch.generator, x, others)

    @torch.no_grad()
    def _others(self, views: Sequence[View], y: Tensor, batch: Batch) -> list[tuple[Tensor, ...]]:
        """For each block and view the sum of the other blocks' scores, from a walk before anything is updated."""
        found: list[tuple[Tensor, ...]] = []

        def visit(l: int, out: Any) -> Any:
            with self.full_precision():
                ctx = self._context(views, y, batch, l)
                found.append(self._scores_of(self.terms(l)[0][0], self.backbone.features(l, out), out, len(views), ctx))
            return self._pass_on(l, out, [v.y for v in views])

        with buffers_untouched(self), self.autocast(), self._statistics(len(views)):
            self.backbone.walk(self._joined(views), visit)
        totals = [torch.stack(of_view).sum(0) for of_view in zip(*found, strict=True)]
        return [tuple(t - own for t, own in zip(totals, of_block, strict=True)) for of_block in found]

    def _scores_of(self, goodness: Goodness, h: Tensor, out: Any, parts: int, ctx: Context) -> tuple[Tensor, ...]:
        """A goodness's score of each view but the neutral one."""
        l = ctx.block
        views = h.chunk(parts)[: len(ctx.signs)] if parts > 1 else (h,)  # even one chunk costs a copy in backward
        return tuple(goodness(out if goodness.reads_output else self._read_by(goodness, l, v), ctx) for v in views)

    def _loss(self, h: Tensor, out: Any, parts: int, ctx: Context, metrics: Metrics, weight: float) -> Tensor | None:
        """The weighted sum of a block's terms; None for a block without any."""
        l, y = ctx.block, cast(Tensor, ctx.y)
        total: Tensor | None = None
        for goodness, loss, factor in self.terms(l):
            scores = self._scores_of(goodness, h, out, parts, ctx)
            value = factor * loss(scores[: loss.views], ctx)
            self._note(metrics, l, goodness, scores, y, value, weight)
            total = value if total is None else total + value
        return total

    def _note(
        self,
        metrics: Metrics,
        l: int,
        goodness: Goodness,
        scores: tuple[Tensor, ...],
        y: Tensor,
        value: Tensor,
        weight: float,
    ) -> None:
        """Add a term's loss to the metrics, and how often it was right."""
        if goodness.kind == "class":
            note(metrics, f"accuracy/{l + 1}", (scores[0].argmax(1) == y).float().mean(), weight)
        elif goodness.kind == "sample" and len(scores) > 1:
            note(metrics, f"pairs/{l + 1}", (scores[0] > scores[1]).float().mean(), weight)
        note(metrics, f"loss/{l + 1}", value, weight)

    def _read_by(self, goodness: Goodness, l: int, h: Tensor) -> Tensor:
        """The features as a goodness reads them: normalized where the recipe says so, float32 unless it takes less."""
        norm = self.goodness_norms[l]
        return h if goodness.reads_half and type(norm) is Normalization else norm(full_precision(h))

    def _features(self, l: int, out: Any) -> Tensor:
        """What a goodness reads, in full precision whatever the blocks ran in."""
        return full_precision(self.backbone.features(l, out))

    def _pass_on(self, l: int, out: Any, labels: Sequence[Tensor | None] = (), read: bool = True) -> Any:
        """What block l + 1 reads of block l's output.

        Args:
            l: index of the block.
            out: its output, of all views.
            labels: of each view; None for the neutral one.
            read: somebody keeps the output's features.
        """
        if l == self.backbone.depth - 1:
            return out
        given = pytree.tree_map(torch.detach, out) if self._cuts(l) else out
        passed = pytree.tree_map(self.norms[l + 1], self.backbone.downsample(l + 1, given))
        if self.label_embedding.per_block:
            passed = pytree.tree_map(partial(self._labelled, l + 1, labels), passed)
        if read and self.backbone.copies_at_cuts:
            # Passing on shares memory, detached or not: an in-place operation at the start of the next
            # block would change the features that were just read.
            passed = pytree.tree_map(torch.clone, passed)
        return passed

    def _labelled(self, l: int, labels: Sequence[Tensor | None], u: Tensor) -> Tensor:
        """Block ``l``'s input with each view's labels."""
        views = zip(u.chunk(len(labels)), labels, strict=True)
        return torch.cat([self.label_embedding.inject(l, view, y) for view, y in views])

    def _statistics(self, parts: int) -> contextlib.AbstractContextManager[Any]:
        stack = contextlib.ExitStack()
        if parts > 1 and self.batch_statistics:
            for module in (self.backbone, self.norms):
                stack.enter_context(split_statistics(module, parts))
        return stack

    # ---------------------------------------------------------------- inference

    @torch.no_grad()
    def scores(self, x: Tensor) -> tuple[Tensor, list[Tensor | None] | None]:
        """See :meth:`ffzoo.Algorithm.scores`; a sample goodness is read for every candidate label."""
        with self.evaluating():
            blocks = self._block_scores(x)
            if self.fusion_head.reads == "scores":
                assert blocks is not None
                return self.fusion_head([b for b in blocks if b is not None]), blocks
            return self._fused_features(x), blocks

    @torch.no_grad()
    def predict(self, x: Tensor) -> Tensor:
        """See :meth:`ffzoo.Algorithm.predict`; a fusion of features takes one pass, with the neutral label."""
        if self.fusion_head.reads == "scores":
            return self.scores(x)[0]
        with self.evaluating():
            return self._fused_features(x)

    def _fusion_features(self, x: Tensor) -> list[Tensor]:
        """What the fusion keeps of each block that it reads."""
        kept = [self.fusion_head.feature(l, h) for l, h in enumerate(self._read(x))]
        return [f for f in kept if f is not None]

    def _fused_features(self, x: Tensor) -> Tensor:
        return self.fusion_head(self._fusion_features(x))

    @torch.no_grad()
    def features(self, x: Tensor) -> list[Tensor]:
        """See :meth:`ffzoo.Algorithm.features`; labels enter as the neutral one."""
        with self.evaluating():
            return self._read(x)

    def _read(self, x: Tensor) -> list[Tensor]:
        """Features of each block; labels enter as the neutral one."""
        return self._collect(x, None, self._features)

    def _collect(self, x: Tensor, y: Tensor | None, read: Callable[[int, Any], Any]) -> list[Any]:
        """What ``read(l, out)`` makes of each block's output in one walk."""
        found: list[Any] = []

        def visit(l: int, out: Any) -> Any:
            with self.full_precision():
                found.append(read(l, out))
            return self._pass_on(l, out, [y])

        with self.autocast():
            self.backbone.walk(self.label_embedding(self.negatives.positive(x), y), visit)
        return found

    def _block_scores(self, x: Tensor) -> list[Tensor | None] | None:
        """``(B, K)`` a block; with a sample goodness K passes, one for each candidate label."""
        if self.score_kind is None:
            return None
        if self.score_kind == "class":
            return self._collect(x, None, partial(self._score, y=None))
        candidates = [torch.full((len(x),), k, device=x.device) for k in range(self.num_classes)]
        passes = [self._collect(x, y, partial(self._score, y=y)) for y in candidates]
        return [None if block[0] is None else torch.stack(block, 1) for block in zip(*passes, strict=True)]

    def _score(self, l: int, out: Any, y: Tensor | None) -> Tensor | None:
        """The score of a block's first term that scores classes; None when it has none."""
        for goodness, _, _ in self.terms(l):
            if goodness.kind == self.score_kind:
                ctx = Context(y, (1,), l, self.backbone.depth, 0, False, None)
                h = out if goodness.reads_output else self._read_by(goodness, l, self.backbone.features(l, out))
                return goodness(h, ctx)
        return None

    def finish(self, train: Samples, validation: Samples | None) -> None:
        """Let the fusion fit what it fits on the training part, and choose on the validation part."""
        if self.fusion_head.fits:
            with torch.no_grad(), self.evaluating():
                seen = [(self._fusion_features(b.x), b.y) for b in train]
            blocks = [torch.cat(block) for block in zip(*(features for features, _ in seen), strict=True)]
            self.fusion_head.fit(blocks, torch.cat([y for _, y in seen]))
        if validation is None or self.fusion_head.reads != "scores":
            return
        with torch.no_grad(), self.evaluating():
            read = [(self._block_scores(b.x), b.y) for b in validation]
        scored = [[b for b in blocks if b is not None] for blocks, _ in read if blocks is not None]
        blocks = [torch.cat(block) for block in zip(*scored, strict=True)]
        self.fusion_head.calibrate(blocks, torch.cat([y for _, y in read]))
