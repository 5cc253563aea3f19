"""The pictures of docs/windows.md, drawn from what the processors really put out.

``python -m tests.docs.pictures`` (part of ``make docs``) writes them; a test fails when one of
them is not what the processors do now.
"""
