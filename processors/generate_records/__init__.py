"""Made-up records, the same for the same seed."""

from processors.generate_records.processor import GenerateRecords

__all__ = ["GenerateRecords"]
