"""Every name that an expression may use beside attributes, for editors that complete."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from flowengine.expressions.filters import FILTERS, JINJA_FILTERS
from flowengine.expressions.functions import FIELDS, FUNCTIONS

Word = dict[str, str]


def vocabulary() -> dict[str, list[Word]]:
    """Filters, functions and fields: ``name``, ``signature`` as it is written, ``description``."""
    filters = [_word(name, one.function, one.parameters) for name, one in FILTERS.items()]
    filters += [{"name": n, "signature": "", "description": ""} for n in JINJA_FILTERS]
    functions = [
        _word(name, function, inspect.signature(function))
        for name, (function, _) in FUNCTIONS.items()
    ]
    fields = [
        {"name": f"flowfile.{name}", "signature": "", "description": "The FlowFile's own."}
        for name in FIELDS
    ]
    return {"filters": filters, "functions": functions, "fields": fields}


def _word(name: str, function: Callable[..., Any], signature: inspect.Signature) -> Word:
    bare = [one.replace(annotation=one.empty) for one in signature.parameters.values()]
    first = (inspect.getdoc(function) or "").partition("\n\n")[0]
    return {
        "name": name,
        "signature": str(signature.replace(parameters=bare, return_annotation=signature.empty)),
        "description": " ".join(first.replace("``", "`").split()),
    }
