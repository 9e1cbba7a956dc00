"""Code blocks of a page, as markdown-it reads them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
RUN = ("python", "bash")


@dataclass(frozen=True)
class Block:
    language: str
    code: str
    line: int
    note: str  # of the HTML comment before it
    output: str  # what it prints: the block of "text" after it


def blocks(page: Path) -> list[Block]:
    tokens = MarkdownIt("commonmark").parse(page.read_text(encoding="utf-8"))
    result = []
    for i, token in enumerate(tokens):
        if token.type != "fence" or token.info.strip() not in RUN:
            continue
        before = tokens[i - 1] if i and tokens[i - 1].type == "html_block" else None
        note = re.search(r"<!--\s*(.*?)\s*-->", before.content, re.S) if before else None
        after = tokens[i + 1] if i + 1 < len(tokens) else None
        output = after.content if after and after.type == "fence" and after.info == "text" else ""
        line = (token.map or [0])[0] + 1
        result.append(
            Block(token.info.strip(), token.content, line, note[1] if note else "", output.strip())
        )
    return result


def glued_lists(text: str) -> list[int]:
    """Return the lines where GitHub sees a list, or what is in its items, and the site does not.

    The site is made by Python-Markdown. It wants an empty line before a list, and four blanks
    before whatever an item holds beside its first paragraph.
    """
    lines = text.splitlines()
    result = []
    depth = 0
    for before, token in pairwise([Token("", "", 0), *MarkdownIt("commonmark").parse(text)]):
        opens = token.type in ("bullet_list_open", "ordered_list_open")
        if token.map and token.type not in ("list_item_open", "inline"):
            at = token.map[0]
            indent = len(lines[at]) - len(lines[at].lstrip())
            first = before.type == "list_item_open"
            if (depth and not first and indent < 4 * depth) or (
                opens and not depth and at and lines[at - 1].strip()
            ):
                result.append(at + 1)
        depth += opens - (token.type in ("bullet_list_close", "ordered_list_close"))
    return result


def runs(block: Block) -> bool:
    """Whether a block runs; else the comment before it says why not."""
    return not block.note.startswith(("no-run:", "setup:start"))


def commands(block: Block) -> list[str]:
    """Return the lines of a block of shell commands; a continued line is one."""
    joined = block.code.replace("\\\n", " ")
    return [line.strip() for line in joined.splitlines() if line.strip() and line[0] != "#"]


def prints(expected: str, printed: str) -> bool:
    """Whether `expected` is in `printed`, but for blanks, case, and numbers by 0.02 at most.

    Scores move by thousandths from one processor to another, and with them their last digit.
    """
    words = [_pattern(word) for word in expected.split()]
    text = " ".join(printed.split())
    for match in re.finditer(r"\s".join(words), text, re.IGNORECASE):
        pairs = zip(_decimals(expected), _decimals(match[0]), strict=True)
        if all(abs(a - b) <= 0.02 for a, b in pairs):
            return True
    return False


_DECIMAL = re.compile(r"\d+\.\d+")


def _pattern(word: str) -> str:
    if set(word) <= {"─"}:
        return "─+"  # as wide as the terminal
    return _DECIMAL.pattern.join(re.escape(part) for part in _DECIMAL.split(word))


def _decimals(text: str) -> list[float]:
    return [float(number) for number in _DECIMAL.findall(text)]
