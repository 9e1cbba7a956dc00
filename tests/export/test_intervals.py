"""Best labels over time, in milliseconds."""

from __future__ import annotations

from emoclip_sdk.export.intervals import label_intervals, length_ms

from .conftest import JOY


def test_intervals_of_each_face(timeline) -> None:
    by_face = label_intervals(timeline)
    assert [(i.start, i.end, i.label) for i in by_face[0]] == [
        (0, 2000, JOY),
        (3000, 4000, JOY),
        (5000, 6000, "äger"),
    ], "no interval while the face is away or the model abstained"
    assert length_ms(timeline) == 7000
