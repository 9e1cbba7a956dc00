"""Text that every file and every reader takes."""

from __future__ import annotations

__all__ = ["unicode_text"]


def unicode_text(text: str) -> str:
    r"""Return a text without lone surrogates, which are no characters: they become ``\udc80``.

    They stand for the bytes of file names that are no text. Strict readers of JSON refuse them, and
    no file in UTF-8 can hold them.
    """
    return text.encode("utf-8", "backslashreplace").decode()
