"""Four roles, each of which may do what the ones before it may."""

from __future__ import annotations

from enum import IntEnum


class Role(IntEnum):
    """viewer: look. operator: start, stop, queues. editor: definitions. admin: users, audit."""

    VIEWER = 1
    OPERATOR = 2
    EDITOR = 3
    ADMIN = 4

    @property
    def label(self) -> str:
        """The name as people write it."""
        return self.name.lower()

    @classmethod
    def of(cls, label: str) -> Role:
        """The role of a name; raises KeyError."""
        return cls[label.upper()]


LABELS = tuple(role.label for role in Role)
