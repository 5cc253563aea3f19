"""The expression language: Jinja2's syntax, compiled to one Python function per batch.

``docs/expressions.md`` is the reference. A text is parsed once, when the flow is validated::

    text → parsing → translate (+ operators) → code → program
                                             ↘ sandbox, for the rest

Parameters, ``#{name}``, are replaced before by whoever loads the definition.
"""

from flowengine.expressions.types import Expression, Predicate

__all__ = ["Expression", "Predicate"]
