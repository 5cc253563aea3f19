"""Names that look like the one somebody wrote."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def did_you_mean(name: str, known: Iterable[str], limit: int = 3) -> str:
    """``did you mean 'upper'``, or nothing. Case and underscores do not count: ``toUpper``."""
    plain = {_plain(one): one for one in known}
    found = difflib.get_close_matches(_plain(name), plain, limit, 0.6)
    return f"did you mean {' or '.join(repr(plain[one]) for one in found)}" if found else ""


def _plain(name: str) -> str:
    return name.replace("_", "").casefold()
