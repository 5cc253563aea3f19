"""The generated reference is what the declarations say now: `make docs` writes it anew."""

from pathlib import Path

import pytest

from flowengine import registry
from flowengine.cli.docs import all_pages, stale_pages, write_pages
from flowengine.documentation import MARK, OWN_PACKAGE, document, find_type, of_package

DOCS = Path(__file__).parents[2] / "docs"
OWN = [
    *of_package(registry.processor_types(), OWN_PACKAGE),
    *of_package(registry.service_types(), OWN_PACKAGE),
]


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return all_pages()


def test_the_reference_is_up_to_date(pages):
    assert stale_pages(DOCS, pages) == [], "run `make docs`"


@pytest.mark.parametrize("name", OWN)
def test_everything_public_is_described(name):
    doc = document(name, find_type(name))
    assert doc.summary
    assert doc.tags
    assert [one.name for one in doc.properties if not one.description] == []
    assert [key for key, one in doc.relationships.items() if not one.description] == []


def test_a_stale_a_missing_and_a_leftover_page_are_found(tmp_path):
    texts = {"processors/a.md": f"{MARK}\na\n", "processors/b.md": f"{MARK}\nb\n"}
    write_pages(tmp_path, texts)
    (tmp_path / "processors" / "a.md").write_text("changed")
    (tmp_path / "processors" / "b.md").unlink()
    (tmp_path / "processors" / "gone.md").write_text(f"{MARK}\ngone\n")
    stale = ["processors/a.md", "processors/b.md", "processors/gone.md"]
    assert stale_pages(tmp_path, texts) == stale


def test_pages_that_people_wrote_stay(tmp_path):
    (tmp_path / "processors").mkdir()
    (tmp_path / "processors" / "writing.md").write_text("# By hand\n")
    (tmp_path / "processors" / "gone.md").write_text(f"{MARK}\ngone\n")
    write_pages(tmp_path, {})
    assert [path.name for path in (tmp_path / "processors").iterdir()] == ["writing.md"]


def test_the_page_of_the_command_line_has_every_command(pages):
    headings = [line for line in pages["cli.md"].splitlines() if line.startswith("## ")]
    assert "## flowengine run" in headings
    assert "## flowengine queue peek" in headings
    assert "## flowengine kafka start" in headings
