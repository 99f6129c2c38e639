"""What a user hands over in Python where others write a registered name. No torch in here."""

from __future__ import annotations

from typing import Any

from ffzoo.registry.entries import Entry, Provenance

_GIVEN = Provenance("python")


class Brought(str):
    """A name that is not registered: it brings along what it stands for.

    It is a text wherever names are printed, compared or written down.

    Attributes:
        entry: in place of the one that a registry would have.
    """

    entry: Entry

    def __new__(cls, name: str, kind: str, target: Any, config: str | type | None = None) -> Brought:
        """Name a thing.

        Args:
            name: what tables and files call it.
            kind: of the registry that its entry could be in.
            target: the thing, as a registered target would be.
            config: a frozen dataclass of its options, or its lazy name.
        """
        self = super().__new__(cls, name)
        self.entry = Entry(kind, "brought", target, _GIVEN, config=config)
        return self

    def __deepcopy__(self, memo: Any) -> str:
        """Return the name alone: a copy of a table of results must not copy a model."""
        return str(self)
