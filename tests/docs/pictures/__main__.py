"""Write all pictures to docs/windows."""

from __future__ import annotations

from pathlib import Path

from tests.docs.pictures.scenes import PICTURES

FOLDER = Path(__file__).parents[3] / "docs" / "windows"


def main() -> None:
    """Draw what has changed."""
    FOLDER.mkdir(exist_ok=True)
    for name, draw in PICTURES.items():
        (FOLDER / name).write_text(draw(), encoding="utf-8")


if __name__ == "__main__":
    main()
