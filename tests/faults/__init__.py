"""Disk full, damaged files, memory: sources stop, nothing is lost, the message says what to do."""
