"""An algorithm's card: what no code can tell of it. No torch in here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ffzoo.registry.options import check, require

Source = Literal["paper", "abstract", "code", "repository", "third party", "memory"]
"""Where something was read: a key of :data:`SOURCES`."""

SOURCES: Mapping[Source, str] = {
    "paper": "the paper's full text",
    "abstract": "the paper's abstract or summary page",
    "code": "the authors' code",
    "repository": "the tables beside the authors' code",
    "third party": "another paper, a leaderboard or somebody else's code",
    "memory": "quoted from memory, and not looked up again",
}
"""Each kind of source in words."""


@dataclass(frozen=True)
class Published:
    """A published test accuracy.

    Attributes:
        dataset: its name in this library where it has one, e.g. ``"cifar10"``.
        accuracy: in percent.
        network: in the paper's words, e.g. ``"MLP 4 x 2000"``.
        source: where the figure was read.
        note: what else one must know to compare it.
    """

    dataset: str
    accuracy: float
    network: str
    source: Source
    note: str = ""

    def __post_init__(self) -> None:
        check(self)
        require(0 <= self.accuracy <= 100, "accuracy", self.accuracy, "a percentage, 0 to 100")


@dataclass(frozen=True)
class Card:
    """What no code can tell of an algorithm.

    Attributes:
        title: of the paper.
        authors: in short, e.g. ``"Hinton"`` or ``"Yang et al."``.
        year: of the first version.
        url: of the paper.
        source: where the formula was read.
        local: what is local and what is not, in a sentence.
        reconstruction: neither the paper's full text nor the authors' code was at hand.
        baseline: it is there to be compared with, and counts as no rule of its own.
        published: test accuracies.
        departures: known differences from the paper, a sentence each.
        remarks: what else a user should know, such as why it stays below a floor.
    """

    title: str
    authors: str
    year: int
    url: str
    source: Source
    local: str
    reconstruction: bool = False
    baseline: bool = False
    published: tuple[Published, ...] = ()
    departures: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check(self)
        require(bool(self.title), "title", self.title, "the paper's title")
        require(bool(self.authors), "authors", self.authors, "who wrote it")
        require(1900 <= self.year <= 2100, "year", self.year, "a year")
        require(self.url.startswith("https://"), "url", self.url, "an address that begins with https://")
        require(bool(self.local), "local", self.local, "a sentence")

    @property
    def paper(self) -> str:
        """Return the source in short: authors, year, and the arXiv number where there is one."""
        number = self.url.partition("arxiv.org/abs/")[2]
        return f"{self.authors} {self.year}, " + (f"arXiv:{number}" if number else self.url.removeprefix("https://"))
