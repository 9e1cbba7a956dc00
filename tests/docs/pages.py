"""Code blocks of a page, as markdown-it reads them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
RUN = ("python", "bash")


@dataclass(frozen=True)
class Block:
    language: str
    code: str
    line: int
    note: str  # of the HTML comment before it
    follows: str  # text that the command is to print: the block of "text" after it


def blocks(page: Path) -> list[Block]:
    tokens = MarkdownIt("commonmark").parse(page.read_text(encoding="utf-8"))
    found = []
    for i, token in enumerate(tokens):
        if token.type != "fence" or token.info.strip() not in RUN:
            continue
        before = tokens[i - 1] if i and tokens[i - 1].type == "html_block" else None
        note = re.search(r"<!--\s*(.*?)\s*-->", before.content, re.S) if before else None
        after = tokens[i + 1] if i + 1 < len(tokens) else None
        expected = after.content if after and after.type == "fence" and after.info == "text" else ""
        line = (token.map or [0])[0] + 1
        found.append(
            Block(
                token.info.strip(), token.content, line, note[1] if note else "", expected.strip()
            )
        )
    return found


def runs(block: Block) -> bool:
    """Whether a block runs; else the comment before it says why not."""
    return not block.note.startswith(("no-run:", "setup:start"))


def commands(block: Block) -> list[str]:
    """Return the lines of a block of shell commands; a continued line is one."""
    joined = block.code.replace("\\\n", " ")
    return [line.strip() for line in joined.splitlines() if line.strip() and line[0] != "#"]
