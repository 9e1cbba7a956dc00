"""The color of each label, which it keeps as long as the page is open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..export.style import OKABE_ITO

__all__ = ["LabelColors", "LabelStyle"]

_STYLES = 2 * len(OKABE_ITO)  # solid, then dashed


@dataclass(frozen=True)
class LabelStyle:
    """How a label is drawn.

    Attributes
    ----------
    color : str
        For CSS.
    dashed : bool
        The colors come again, dashed.
    named : bool
        False: there are more labels than colors, and this one is gray.
    """

    color: str = "var(--emo-other)"
    dashed: bool = False
    named: bool = True

    def swatch(self, place: str = "", title: str = "") -> str:
        """Return an element in this color; `place` is more of its style, `title` is escaped."""
        kind = ' class="dashed"' if self.dashed else ""
        about = f' title="{title}"' if title else ""
        return f'<i{kind} style="--c: {self.color}; {place}"{about}></i>'


class LabelColors:
    """Gives labels their colors.

    A label keeps its color while others come and go, and gets it back when it returns, unless there
    are more labels than colors.
    """

    def __init__(self) -> None:
        self._places: dict[str, int] = {}

    def of(self, labels: Sequence[str]) -> dict[str, LabelStyle]:
        """Return how each label is drawn."""
        taken: dict[int, str] = {}
        for label in labels:
            if label in self._places:
                taken.setdefault(self._places[label], label)
        for label in labels:
            if label in taken.values():
                continue
            free = [place for place in range(_STYLES) if place not in taken]
            fresh = [place for place in free if place not in self._places.values()]
            if not free:
                self._places.pop(label, None)
                continue
            place = (fresh or free)[0]
            self._places[label] = place
            taken[place] = label
        styles = dict.fromkeys(labels, LabelStyle(named=False))
        for place, label in taken.items():
            color, round_ = place % len(OKABE_ITO), place // len(OKABE_ITO)
            styles[label] = LabelStyle(f"var(--emo-{color})", dashed=bool(round_))
        return styles
