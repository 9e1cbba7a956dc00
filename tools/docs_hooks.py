"""Hook of mkdocs: what a docstring marks as :meth: or :class: is shown as code."""

from __future__ import annotations

import re
from typing import Any

__all__ = ["on_page_content"]

_ROLE = re.compile(r":(?:attr|class|data|func|meth|mod):(?=<code>)")


def on_page_content(html: str, **_: Any) -> str:
    """Return a page without the names of Sphinx's roles."""
    return _ROLE.sub("", html)
