"""Tables for pandas, where it is installed. No torch in here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ffzoo.errors import OptionError


def data_frame(rows: Sequence[Mapping[str, Any]]) -> Any:
    """Return rows as a ``pandas.DataFrame``, a column per key.

    Raises:
        OptionError: pandas is not installed.
    """
    try:
        import pandas
    except ImportError as error:
        raise OptionError("to_dataframe needs pandas; install it with `pip install 'ffzoo[pandas]'`") from error
    return pandas.DataFrame(list(rows))
