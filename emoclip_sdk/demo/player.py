"""The player as HTML: a video with a box around each face while it plays."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from .axes import data_attributes

if TYPE_CHECKING:
    from ..results.timeline import Timeline

__all__ = ["player_html"]


def player_html(timeline: Timeline, address: str, size: tuple[int, int], begin: float = 0.0) -> str:
    """Return a video player that draws a box around each face while it plays.

    Parameters
    ----------
    timeline : Timeline
        Its paths are the boxes.
    address : str
        Of the video.
    size : (int, int)
        Width and height of the video that the paths are measured in.
    begin : float
        Seconds on the clock of the video at which the copy that plays begins.
    """
    width, height = size
    faces = [
        {
            "track": track,
            "name": f"face {track}",
            "spacing": round(path.spacing, 4),
            "times": [round(t, 3) for t in path.times.tolist()],
            "boxes": [
                [round(v / s, 4) for v, s in zip(box, (width, height) * 2, strict=True)]
                for box in path.boxes.tolist()
            ],
        }
        for track, path in timeline.paths.items()
    ]
    return (
        f'<div class="emo-player" data-begin="{begin:.3f}" style="--ratio: {width / height:.4f}" '
        f'{data_attributes("faces", faces)}><video src="{escape(address)}" controls playsinline '
        f'preload="auto" aria-label="{escape(timeline.source)}"></video>'
        '<div class="emo-boxes"></div></div>'
    )
