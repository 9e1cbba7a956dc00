"""Who is in the rows of a result."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from ..faces import TrackPerson

__all__ = ["people_of_rows", "rows_with_people"]

_NOBODY = TrackPerson(None)


def rows_with_people(rows: Sequence[Any], people: Mapping[int, TrackPerson]) -> tuple[Any, ...]:
    """Return rows with the person of their track; a row without a face has nobody."""
    return tuple(
        dataclasses.replace(
            row, person=_NOBODY if row.track is None else people.get(row.track, _NOBODY)
        )
        for row in rows
    )


def people_of_rows(rows: Sequence[Any]) -> dict[int, TrackPerson]:
    """Return who each face is, by its track; empty where rows don't say."""
    return {
        row.track: row.person for row in rows if row.track is not None and row.person is not None
    }
