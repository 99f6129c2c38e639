"""A module cut into blocks by hooks, without changing it.

A hook at each cut hands the block's output to the visitor and lets the module go on with what the visitor returns.
Whether a cut really separates a block from the next is not assumed but measured when the partition is built: see
:meth:`Partition.verify`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves, tree_map
from torch.utils.hooks import RemovableHandle

from ffzoo.backbones.base import Backbone, Visit, seed
from ffzoo.backbones.foreign import (
    Classifier,
    body,
    buffers_kept,
    copy,
    feature_info,
    first_tensor,
    is_classifier,
    leaves_behind,
    undisturbed,
)
from ffzoo.backbones.layouts import Layout, as_features, layout_of
from ffzoo.errors import PartitionError


@dataclass(frozen=True)
class Cut:
    """A place between two blocks: after the named module's output or before its (first) input."""

    module: str
    side: Literal["after", "before"]

    def __str__(self) -> str:
        return f"the cut {self.side} {self.module!r}"


@dataclass
class _Measured:
    """What one walk over the example showed; the head counts as block ``depth``."""

    owners: dict[str, int]
    inside: dict[str, int]
    outputs: list[Any]


class _End(Exception):
    """Leaves a model's forward where its last block ends."""


class Partition(Backbone):
    """A module cut into blocks; build it with :func:`~ffzoo.backbones.partition.partition`.

    Args:
        model: the module, kept as it is under the name ``model``.
        cuts: one fewer than there are blocks, in the order of execution.
        labels: a name for every block.
        example: inputs, ``(B, *input_shape)``.
        name: what messages and tables call it.
        by: how the cuts were chosen, for messages.
        head: where the last block ends, if not at the end of the model; what follows belongs to no block.

    Attributes:
        cuts: places between the blocks.
        labels: names of the blocks.
        notes: sentences on how it was cut, for whoever reads the table of blocks.
        verified: :meth:`verify` has passed.

    Raises:
        PartitionError: the cuts do not make blocks that exchange nothing but their outputs.
    """

    copies_at_cuts = True

    def __init__(
        self,
        model: nn.Module,
        cuts: Sequence[Cut],
        labels: Sequence[str],
        example: Tensor,
        name: str,
        by: str,
        head: Cut | None = None,
    ) -> None:
        super().__init__()
        self.model = model
        self.name = name
        self.by = by
        self.input_shape = tuple(example.shape[1:])
        self.cuts = list(cuts)
        self.labels = list(labels)
        self.head, self.notes = head, tuple[str, ...]()
        self.has_native_head = head is None and is_classifier(model)
        self.normalized = any("norm" in type(m).__name__.lower() for m in model.modules())
        self.verified = False
        # Of nested walks (a visitor that itself evaluates the model) only the innermost one's hooks act.
        self._current: object = None
        self._owners: dict[str, int] = {}
        self._inside: dict[str, int] = {}
        self._layouts: list[Layout] = []
        self.verify(example)

    @property
    def depth(self) -> int:
        """Number of blocks."""
        return len(self.cuts) + 1

    @property
    def _places(self) -> list[Cut]:
        """Where a walk stops; what runs after the last of them is the model's own head, or the last block."""
        return self.cuts if self.head is None else [*self.cuts, self.head]

    def block_name(self, l: int) -> str:
        """Return the name of the module that ends the block (cut after it) or begins it (cut before it)."""
        return self.labels[l]

    def split_note(self) -> str:
        """Return whether the split was verified, in words."""
        how = "verified: equal outputs, every parameter in one block, no gradient across a cut"
        return "\n".join([f"split: by {self.by}, {how if self.verified else 'not verified'}", *self.notes])

    def walk(self, x: Tensor, visit: Visit) -> None:
        """Run the model and stop at every cut; see :meth:`Backbone.walk`.

        Raises:
            PartitionError: a cut was not reached exactly once and in order.
        """
        token = object()
        reached = 0
        end = _End()

        def stop(l: int, out: Any) -> Any:
            nonlocal reached
            if l != reached:
                raise PartitionError(
                    f"{self.name}: {self._places[l]} was reached out of order or more than once; expected "
                    f"modules that run once, in the order {', '.join(c.module for c in self._places)}"
                )
            reached += 1
            passed = visit(l, out)
            if passed is None:
                # A hook that returns None changes nothing: the gradient would cross the cut unnoticed.
                raise TypeError(f"the visitor of block {l + 1} returned None; expected the next block's input")
            if l == len(self.cuts) and not torch.compiler.is_compiling():  # an export drops the head by itself
                raise end
            return passed

        outer, self._current = self._current, token
        handles: list[RemovableHandle] = []
        try:
            # Hooks exist only during a walk: they refer to this object, so a deep copy of a model that
            # kept them would call back into the original.
            for l, cut in enumerate(self._places):
                handles.append(_hook(self.model, cut, l, stop, lambda: self._current is token))
            try:
                out = body(self.model, x)
            except _End as ended:
                if ended is not end:
                    raise
                return
            if reached != len(self._places):
                raise PartitionError(
                    f"{self.name}: {self._places[reached]} was never reached; expected a module that runs once"
                )
            if self.head is None:
                visit(reached, out)
        finally:
            self._current = outer
            for handle in handles:
                handle.remove()

    def owner(self, name: str) -> int | None:
        """Block of a parameter or buffer, as measured; None for the model's head and unused tensors."""
        block = self._owners.get(name)
        return None if block == self.depth else block

    def features(self, l: int, out: Any) -> Tensor:
        """Output of block ``l`` as ``(B, C, H, W)`` or ``(B, D)``.

        Of a nested output the first tensor counts. Tokens lose their prefix (class) tokens and become a
        map: square where their number allows it, else ``(B, C, N, 1)``.
        """
        return as_features(first_tensor(out), self._layouts[l], self._prefix_tokens())

    def native_head(self, out: Any) -> Tensor:
        """Return the model's own classifier on the last block's output: scores ``(B, K)``.

        Raises:
            OptionError: the model has no head of its own.
        """
        if not self.has_native_head:
            return super().native_head(out)
        return cast(Classifier, self.model).forward_head(out)

    def checkpoint_units(self, l: int) -> list[nn.Module]:
        """Return the largest modules with children that ran wholly inside block ``l``."""
        found: list[nn.Module] = []

        def search(prefix: str, module: nn.Module) -> None:
            for child_name, child in module.named_children():
                path = f"{prefix}.{child_name}"
                if self._inside.get(path) == l and next(child.children(), None) is not None:
                    found.append(child)
                else:
                    search(path, child)

        search("model", self.model)
        return found

    def verify(self, example: Tensor | None = None) -> None:
        """Measure, on a batch of two, that the split is what it claims to be.

        In training and in evaluation mode: the walk, with a detached copy passed on at every cut, gives
        the whole model's outputs; every parameter gets its gradient from one block (or the head) only;
        no block's gradient reaches the input of an earlier one. Parameters, buffers, modes, gradients
        and the state of the random generators are left as they were.

        Args:
            example: inputs, ``(B, *input_shape)``; None draws some.

        Raises:
            PartitionError: the split fails one of these, or leaves fewer than two blocks.
        """
        self.verified = False
        if self.depth < 2:
            raise PartitionError(f"{self.name} has {self.depth} block; expected at least two")
        with undisturbed(self.model), torch.enable_grad():
            x = self._tiny_batch(example)
            owners: dict[str, int] = {}
            for training in (True, False):
                self.model.train(training)
                measured = self._measure(x)
                for key, block in measured.owners.items():
                    if owners.setdefault(key, block) != block:
                        raise PartitionError(
                            f"{self.name}: {key!r} is in block {owners[key] + 1} in training and in block "
                            f"{block + 1} in evaluation; expected the same blocks in both"
                        )
        self._owners = owners
        self._inside = measured.inside
        prefix = self._prefix_tokens()
        tensors = [first_tensor(out) for out in measured.outputs]
        self._layouts = [layout_of(t, self._known_channels(), self.model) for t in tensors]
        self.channels_second = all(layout in ("nchw", "channels_first", "flat") for layout in self._layouts[:-1])
        maps = [as_features(t, layout, prefix) for t, layout in zip(tensors, self._layouts, strict=True)]
        self.feature_shapes = tuple(tuple(m.shape[1:]) for m in maps)
        self.verified = True

    def _prefix_tokens(self) -> int:
        count = getattr(self.model, "num_prefix_tokens", 0)
        return count if isinstance(count, int) else 0

    def _known_channels(self) -> set[int]:
        channels = {info["num_chs"] for info in feature_info(self.model) if "num_chs" in info}
        width = getattr(self.model, "num_features", None)
        return channels | ({width} if isinstance(width, int) else set())

    def _tiny_batch(self, example: Tensor | None) -> Tensor:
        if example is None:
            like = next(self.model.parameters())
            generator = torch.Generator().manual_seed(0)
            return torch.randn(2, *self.input_shape, generator=generator).to(like.device, like.dtype)
        return example.detach()[[0, -1]]

    def _measure(self, x: Tensor) -> _Measured:
        """Walk ``x`` in the model's present mode; check the outputs and where gradients arrive."""
        depth = self.depth
        parameters = dict(self.named_parameters(remove_duplicate=False))
        inputs: list[tuple[int, Tensor]] = []
        outputs: list[Any] = []
        owners: dict[str, int] = {}
        spans: dict[str, set[tuple[int, int]]] = {}
        now = 0

        def place(l: int) -> str:
            return str(self.cuts[l - 1]) if l < depth else "the cut before the model's own head"

        def claim(l: int, out: Any) -> None:
            reached = leaves_behind(out)
            for key, parameter in parameters.items():
                if id(parameter) in reached and owners.setdefault(key, l) != l:
                    raise PartitionError(
                        f"{self.name}: a tensor skips {place(l)}: the gradient of block {l + 1} reaches {key!r} "
                        f"of block {owners[key] + 1} (a local step would go backward through the graph a "
                        "second time); expected blocks that exchange nothing but their outputs"
                    )
            for source, leaf in inputs:
                if id(leaf) in reached and source < l:
                    raise PartitionError(
                        f"{self.name}: a tensor skips {place(l)}: block {l + 1} reads what block {source + 1} read; "
                        "expected blocks that read nothing but the output of the one before"
                    )

        def visit(l: int, out: Any) -> Any:
            nonlocal now
            first = first_tensor(out)
            if first.ndim < 2 or first.shape[0] != x.shape[0]:
                raise PartitionError(
                    f"{self.name}: block {l + 1} gives a {tuple(first.shape)} tensor for {x.shape[0]} inputs; "
                    "expected the batch in the first dimension"
                )
            claim(l, out)
            now = l + 1
            outputs.append(tree_map(copy, out))

            def leaf(value: Any) -> Any:
                if not isinstance(value, Tensor) or not value.is_floating_point():
                    return value
                start = value.detach().clone().requires_grad_()
                inputs.append((l + 1, start))
                # The next block may begin in place, which a leaf that requires a gradient forbids.
                return start.clone()

            return tree_map(leaf, out)

        handles = []
        for key, module in self.named_modules():
            if key:
                begun: list[int] = []
                handles.append(module.register_forward_pre_hook(lambda *_, begun=begun: begun.append(now)))
                handles.append(
                    module.register_forward_hook(
                        lambda *_, begun=begun, key=key: spans.setdefault(key, set()).add((begun.pop(), now))
                    )
                )
        try:
            seed(0, x.device)
            self.walk(x, visit)
            result = tree_map(copy, outputs[-1])
            if self.has_native_head:
                result = self.native_head(result)
                claim(depth, result)
        finally:
            for handle in handles:
                handle.remove()
        seed(0, x.device)
        with torch.no_grad(), buffers_kept(self.model):
            self._compare(self._whole(x), result)
        inside = {key: next(iter(s))[0] for key, s in spans.items() if len(s) == 1 and len(set(*s)) == 1}
        starts = {key: min(begin for begin, _ in s) for key, s in spans.items()}
        for key, _ in self.named_buffers(remove_duplicate=False):
            never_ran = self.head is not None and key.rpartition(".")[0] not in starts
            owners[key] = depth if never_ran else _enclosing(key, starts)
        return _Measured(owners, inside, outputs)

    def _whole(self, x: Tensor) -> Any:
        """Return what the model gives without a stop, up to its head where that is left out."""
        if self.head is None:
            return self.model(x)
        seen: list[Any] = []

        def see(l: int, out: Any) -> Any:
            seen.append(tree_map(copy, out))
            return out

        handle = _hook(self.model, self.head, 0, see, lambda: True)
        try:
            self.model(x)
        finally:
            handle.remove()
        return seen[0]

    def _compare(self, whole: Any, walked: Any) -> None:
        pairs = zip(tree_leaves(whole), tree_leaves(walked), strict=True)
        for a, b in pairs:
            if isinstance(a, Tensor) and not torch.allclose(a.float(), b.float(), rtol=1e-3, atol=1e-5, equal_nan=True):
                raise PartitionError(
                    f"{self.name}: outputs differ by up to {(a - b).abs().max():.3g} when copies are passed "
                    "on at the cuts; expected a model that reads a block's output only through the cut"
                )


def _hook(
    model: nn.Module,
    cut: Cut,
    l: int,
    stop: Callable[[int, Any], Any],
    active: Callable[[], bool],
) -> RemovableHandle:
    module = model.get_submodule(cut.module)

    def after(_: nn.Module, args: Any, out: Any) -> Any:
        return stop(l, out) if active() else None

    def before(_: nn.Module, args: tuple[Any, ...]) -> Any:
        if not active():
            return None
        if not args:
            raise PartitionError(f"{cut.module!r} takes its input by keyword; expected another place to cut")
        return (stop(l, args[0]), *args[1:])

    if cut.side == "after":
        return module.register_forward_hook(after)
    # Before any other hook, so that whatever observes the module sees it begin after the cut.
    return module.register_forward_pre_hook(before, prepend=True)


def _enclosing(key: str, starts: dict[str, int]) -> int:
    """Block in which a tensor's module, or the nearest one around it that ran, was first entered.

    A buffer that several blocks read (a table of positions) so belongs to the first of them.
    """
    while "." in key:
        key = key.rpartition(".")[0]
        if key in starts:
            return starts[key]
    return 0
