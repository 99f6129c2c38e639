"""What every algorithm has to keep, one function a promise."""

from __future__ import annotations

from ffzoo.testing.checks_behaviour import (
    batch_of_one,
    class_counts,
    documented,
    finite_on_extremes,
    learns_toy,
    permutation,
    recipe_round_trip,
)
from ffzoo.testing.checks_locality import (
    finite_differences,
    inplace_trap,
    locality_black_box,
    locality_structural,
    update_equals_gradient,
)
from ffzoo.testing.checks_state import (
    checkpoint_blocks,
    dtype_and_deepcopy,
    evaluation_changes_nothing,
    micro_batches,
    owner_covers_state,
    resume_bit_identical,
    same_seed_same_bits,
    streaming_equals_all_at_once,
)
from ffzoo.testing.subjects import Check

ALGORITHM_CHECKS: tuple[Check, ...] = (
    documented,
    recipe_round_trip,
    locality_structural,
    locality_black_box,
    update_equals_gradient,
    finite_differences,
    inplace_trap,
    streaming_equals_all_at_once,
    micro_batches,
    checkpoint_blocks,
    same_seed_same_bits,
    resume_bit_identical,
    evaluation_changes_nothing,
    owner_covers_state,
    dtype_and_deepcopy,
    learns_toy,
    finite_on_extremes,
    class_counts,
    batch_of_one,
    permutation,
)
