"""Documents as pages: Markdown to HTML, with links between documents that lead to pages."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

from flowengine.documentation import MARK, file_name
from flowengine.shipped import DOCS, shipped_folder

#: The order in which somebody new would read; what is not named here follows by its name.
_FIRST = (
    "tutorial",
    "windows",
    "flow-tests",
    "expressions",
    "server",
    "editor",
    "deploy",
    "engine",
)
_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|//", re.IGNORECASE)
_SLUG = re.compile(r"[^\w]+")

Resolve = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Guide:
    """A document that people wrote. ``path`` is below the folder, such as ``tutorial.md``."""

    path: str
    title: str
    summary: str

    @property
    def name(self) -> str:
        """How its page is called."""
        return self.path.removesuffix(".md").replace("/", ".")


def guides() -> list[Guide]:
    """All guides that are carried, the first to read first."""
    folder = shipped_folder(DOCS)
    found = [guide for path in sorted(folder.rglob("*.md")) if (guide := _guide(folder, path))]
    order = {name: index for index, name in enumerate(_FIRST)}
    return sorted(found, key=lambda guide: (order.get(guide.name, len(order)), guide.name))


def _guide(folder: Path, path: Path) -> Guide | None:
    text = path.read_text(encoding="utf-8")
    generated = text.startswith(MARK) and path.parent != folder
    if generated or path.name == "README.md":
        return None
    blocks = [block.strip() for block in text.removeprefix(MARK).strip().split("\n\n")]
    title = blocks[0].lstrip("# ").replace("`", "")
    prose = next((one for one in blocks[1:] if one[:1].isalpha() or one[:1] == "`"), "")
    summary = re.split(r"(?<=[.:!?])\s", re.sub(r"[`*]|\[|\]\([^)]*\)", "", prose))[0]
    return Guide(path.relative_to(folder).as_posix(), title, summary)


def guide_text(guide: Guide) -> str:
    """The Markdown of a guide."""
    return (shipped_folder(DOCS) / guide.path).read_text(encoding="utf-8")


# -- links -----------------------------------------------------------------------------------------


def resolver(path: str, types: Mapping[str, Sequence[str]], here: str) -> Resolve:
    """From a link in the document at ``path`` to one below our base; None where it leads nowhere.

    types: names of installed types by kind
    here:  address of this page, since a bare ``#part`` would belong to the base
    """
    pages = {f"{kind}s/{file_name(n)}": f"docs/{kind}s/{n}" for kind in types for n in types[kind]}
    pages |= {guide.path: f"docs/{guide.name}" for guide in guides()}
    pages |= {f"{kind}s/README.md": f"docs#{kind}s" for kind in types} | {"README.md": "docs"}

    def resolve(href: str) -> str | None:
        if _ELSEWHERE.match(href):
            return href
        target, _, part = href.partition("#")
        if not target:
            return f"{here}#{part}"
        place = _normal(PurePosixPath(path).parent / target)
        found = pages.get(place) or pages.get(f"{place}/README.md")
        return f"{found}#{part}" if found and part else found

    return resolve


def _normal(path: PurePosixPath) -> str:
    parts: list[str] = []
    for part in path.parts:
        if part == ".." and parts:
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


# -- HTML ------------------------------------------------------------------------------------------


def html(text: str, resolve: Resolve) -> str:
    """Markdown as HTML; raw HTML in it stays text."""
    parser = MarkdownIt("commonmark", {"html": False, "typographer": False}).enable("table")
    tokens = parser.parse(text.removeprefix(MARK))
    _name_headings(tokens)
    for token in tokens:
        _link(token.children or [], resolve)
    framed = list(_framed(tokens))
    found: str = parser.renderer.render(framed, parser.options, {})
    return found


def _name_headings(tokens: list[Token]) -> None:
    seen: dict[str, int] = {}
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open":
            slug = _SLUG.sub("-", inline.content.lower()).strip("-")
            seen[slug] = seen.get(slug, -1) + 1
            opening.attrSet("id", f"{slug}-{seen[slug]}" if seen[slug] else slug)


def _link(children: list[Token], resolve: Resolve) -> None:
    """Lead links to pages; what leads nowhere here becomes text."""
    dead: list[bool] = []
    for token in children:
        if token.type == "link_open":
            target = resolve(str(token.attrGet("href") or ""))
            dead.append(target is None)
            if target is None:
                token.tag, token.attrs = "span", {}
            else:
                token.attrSet("href", target)
        elif token.type == "link_close" and dead.pop():
            token.tag = "span"


def _framed(tokens: list[Token]) -> Iterator[Token]:
    """Wide tables scroll by themselves, also by keyboard."""
    for token in tokens:
        if token.type == "table_open":
            yield _tag(
                "div_open",
                1,
                {"class": "wide", "tabindex": "0", "role": "region", "aria-label": "Table"},
            )
        yield token
        if token.type == "table_close":
            yield _tag("div_close", -1, {})


def _tag(kind: str, nesting: Any, attributes: dict[str, str | int | float]) -> Token:
    return Token(kind, "div", nesting, attrs=attributes, block=True)
