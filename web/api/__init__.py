"""REST under ``/api/v1``: what the editor uses, and nothing else does."""
