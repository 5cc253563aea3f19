"""What makes a restart lose nothing: the repository and its consistent cuts."""

from flowengine.repository.base import Recovered, Repository
from flowengine.repository.memory import MemoryRepository
from flowengine.repository.sqlite import SqliteRepository

__all__ = ["MemoryRepository", "Recovered", "Repository", "SqliteRepository"]
