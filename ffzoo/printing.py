"""Text on streams that cannot hold all of it: an ASCII terminal, a Windows code page. No torch in here."""

from __future__ import annotations

import codecs
import contextlib
import io
import sys
import unicodedata
from collections.abc import Iterator

_NEAREST = {"±": "+/-", "×": "x", "–": "-", "—": "-", "−": "-", "…": "...", "→": "->", "≤": "<=", "≥": ">=", "·": "*"}
_NEAREST |= {"“": '"', "”": '"', "‘": "'", "’": "'", "•": "*", "ß": "ss", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L"}
_NEAREST |= {"æ": "ae", "Æ": "AE", "đ": "d", "ı": "i"} | dict.fromkeys("━─╺╸╶╴", "-") | dict.fromkeys("│┃", "|")
_HANDLER = "ffzoo-nearest"


def nearest_text(text: str) -> str:
    """Return text in ASCII: letters without their accents, signs as they are written without them, else ``?``."""
    plain = "".join(_NEAREST.get(sign, sign) for sign in text)
    plain = "".join(sign for sign in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(sign))
    return plain.encode("ascii", "replace").decode("ascii")


def _encode(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return nearest_text(error.object[error.start : error.end]), error.end


codecs.register_error(_HANDLER, _encode)


@contextlib.contextmanager
def all_printable() -> Iterator[None]:
    """Print on standard output and standard error what their encodings have, and the nearest text for the rest."""
    kept: list[tuple[io.TextIOWrapper, str]] = []
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            kept.append((stream, stream.errors))
            stream.reconfigure(errors=_HANDLER)
    try:
        yield
    finally:
        for stream, errors in kept:
            with contextlib.suppress(ValueError):  # closed meanwhile
                stream.reconfigure(errors=errors)
