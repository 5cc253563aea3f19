"""What the record processors share: records, their formats, schemas, and a cache of decoded ones.

::

    formats ── reading ─┐
    schemas ── tables ──┼─ cache ── processor (the base class) ── one module per processor
               writing ─┘
"""
