"""Filters that encode, decode, escape and hash. Text is UTF-8 wherever bytes matter."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from typing import Any, Final
from urllib.parse import quote, unquote

from flowengine.expressions.values import bounded, shown

HASHES: Final = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512", "blake2b", "blake2s")


def urlencode(text: str) -> str:
    """Percent-encoded for a URL; ``/`` stays."""
    return quote(text)


def urldecode(text: str) -> str:
    """Percent-encoding undone."""
    return unquote(text)


def base64_encode(text: str) -> str:
    """Its UTF-8 bytes in Base64."""
    return base64.b64encode(text.encode()).decode()


def base64_decode(text: str) -> str:
    """The UTF-8 text that was encoded in Base64."""
    try:
        return base64.b64decode(text, validate=True).decode()
    except ValueError:
        raise ValueError(f"must be given UTF-8 text in base64; got {shown(text)}") from None


def sha256(text: str) -> str:
    """Its SHA-256 in hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def hash_text(text: str, algorithm: str) -> str:
    """Its hash in hexadecimal digits."""
    check_hash(algorithm)
    return hashlib.new(algorithm, text.encode(), usedforsecurity=False).hexdigest()


def check_hash(algorithm: str) -> None:
    """Raise ValueError for an unknown algorithm."""
    if algorithm not in HASHES:
        raise ValueError(f"must hash with one of {', '.join(HASHES)}; got {algorithm!r}")


def escape_json(text: str) -> str:
    """As it must stand between the quotes of a JSON string."""
    return to_json(text)[1:-1]


def escape_xml(text: str) -> str:
    """With ``& < > " '`` written as XML and HTML need them."""
    return html.escape(text)


def to_json(value: Any) -> str:
    """The value as JSON: text with its quotes, numbers, true/false, lists and mappings."""
    return bounded(json.dumps(value, ensure_ascii=False))


def from_json(text: str) -> Any:
    """The value that JSON text stands for; take parts of it with ``['name']`` and ``[0]``."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError(f"must be given JSON; got {shown(text)}") from None
