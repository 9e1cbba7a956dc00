"""Who is in the rows of a result."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from ..faces import TrackPerson

if TYPE_CHECKING:
    from .actions import ActionRow
    from .scored_windows import TimelineRow

    Row = TypeVar("Row", ActionRow, TimelineRow)

__all__ = ["rows_with_people"]

_NOBODY = TrackPerson(None)


def rows_with_people(rows: Sequence[Row], people: Mapping[int, TrackPerson]) -> tuple[Row, ...]:
    """Return rows with the person of their track; a row without a face has nobody."""
    return tuple(
        dataclasses.replace(
            row, person=_NOBODY if row.track is None else people.get(row.track, _NOBODY)
        )
        for row in rows
    )
