"""A figure of matplotlib that shows itself in a notebook; needs matplotlib."""

from __future__ import annotations

import io

from matplotlib.figure import Figure

__all__ = ["NotebookFigure"]


class NotebookFigure(Figure):
    """A figure that a notebook shows, also where nobody imported `matplotlib.pyplot`.

    That import is what teaches a notebook to show figures. The pictures of results do without it,
    because it chooses a window system for the whole process.
    """

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png")
        return buffer.getvalue()
