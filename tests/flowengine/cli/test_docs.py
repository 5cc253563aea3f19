import pytest

from tests.flowengine.cli.kit import call

pytestmark = pytest.mark.slow


def test_pages_are_written_and_then_up_to_date(place):
    written = call("docs", "--output", place / "docs")
    assert written.code == 0
    assert "wrote cli.md\n" in written.out
    assert (place / "docs" / "processors" / "put-file.md").is_file()
    again = call("docs", "--output", place / "docs", "--check")
    assert (again.code, again.out) == (0, "")
    assert again.err.endswith(" pages, all up to date\n")


def test_a_stale_page_fails_the_check(place):
    result = call("docs", "--output", place / "docs", "--check")
    assert result.code == 1
    assert "stale processors/put-file.md\n" in result.out
    assert not (place / "docs").exists()
