"""Errors a user can act on.

Every error the library raises on purpose derives from :class:`FFZooError`; its text is one
sentence that names the value, what was expected and, where there is one, the nearest valid choice.
The command line prints it without a traceback.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable


class FFZooError(Exception):
    """Base class: something the user can put right."""


class OptionError(FFZooError):
    """An option has an unknown name, a wrong type or a value out of range."""


class UnknownNameError(FFZooError):
    """A name that nothing registered: algorithm, backbone, data set, part."""


class PluginError(FFZooError):
    """A plugin could not be imported, is malformed, or clashes with another one."""


class RecipeError(FFZooError):
    """The parts of a recipe do not fit together."""


class PartitionError(FFZooError):
    """A model cannot be cut into blocks that exchange nothing but their outputs."""


class DataError(FFZooError):
    """A data set is missing, corrupt, empty or holds values that cannot be trained on."""


class CheckpointError(FFZooError):
    """A run folder or checkpoint is missing, corrupt or belongs to other settings."""


class NotFittedError(FFZooError):
    """A prediction was asked for before the readout was fitted."""


class DivergedError(FFZooError):
    """A loss became NaN or infinite during training."""


class DataWarning(UserWarning):
    """What a user should know of data that can be trained on: what was left out, or looks wrong."""


def one_line(error: BaseException) -> str:
    """Return an error's text on one short line, or its type if it has none."""
    return " ".join(str(error).split())[:200] or type(error).__name__


def nearest(value: str, choices: Iterable[str], n: int = 3) -> str:
    """Return words for an error message: the nearest valid choices, or all of them when there are few.

    Case, dashes and underscores do not count: papers write ``DTG-FF`` and ``Mono-Forward``.

    Args:
        value: what the user wrote.
        choices: what would have been valid.
        n: how many near matches to name at most.

    Returns:
        ``"did you mean 'dtg_ff'?"`` or ``"choose from a, b, c"``.
    """
    known = sorted(choices)
    plain = _plain(value)
    close = (
        [choice for choice in known if plain and _plain(choice) == plain][:n]
        or difflib.get_close_matches(value, known, n=n)
        or difflib.get_close_matches(re.sub(r"[\W_]+", "_", value.lower()), known, n=n)
    )
    if close:
        return "did you mean " + " or ".join(repr(c) for c in close) + "?"
    if not known:
        return "there is none to choose from"
    shown = ", ".join(known[:20])
    return f"choose from {shown}" + (f" and {len(known) - 20} more" if len(known) > 20 else "")


def _plain(name: str) -> str:
    """Return the letters and digits of a name alone, in lower case."""
    return re.sub(r"[\W_]+", "", name.lower())
