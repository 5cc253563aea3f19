from pathlib import Path

import pytest

from tests.flowengine.cli.kit import Shell


@pytest.fixture
def shell(capsys: pytest.CaptureFixture) -> Shell:
    """Runs commands in this process."""
    return Shell(capsys)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
