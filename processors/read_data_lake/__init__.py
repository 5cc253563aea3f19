"""Records from files in folders and object stores."""

from processors.read_data_lake.processor import ReadDataLake

__all__ = ["ReadDataLake"]
