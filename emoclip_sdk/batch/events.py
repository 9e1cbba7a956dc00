"""The events of a study: which of them belong to which video of a batch."""

from __future__ import annotations

import hashlib
import json
import logging
import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from os import PathLike

from ..errors import BatchError
from ..results.event_files import as_events
from ..results.events import Event
from .baselines import BASELINE_FOR
from .inputs import BatchInput

__all__ = ["EventSource", "StudyEvents"]

log = logging.getLogger(__name__)

EventSource = str | PathLike[str] | Iterable[Event | str | PathLike[str]]
"""A table of trials, a document of ELAN, a folder of them, or events."""


@dataclass(frozen=True)
class StudyEvents:
    """The videos that have events.

    Attributes
    ----------
    videos : dict of str to BatchInput
        By their names, in order.
    events : dict of str to list of Event
        Of each.
    """

    videos: dict[str, BatchInput]
    events: dict[str, list[Event]]

    @classmethod
    def of(
        cls, videos: Mapping[str, BatchInput], source: EventSource, tier: str | None
    ) -> StudyEvents:
        """Give events to the videos that they name.

        A video that a manifest calls a baseline, and that has none, is one event of this name.

        Raises
        ------
        BatchError
            An event names no video of the batch, or none at all where there are several; or the
            videos are parts.
        """
        if any(item.job != item.path for item in videos.values()):
            raise BatchError(
                "events say which parts count: leave start and end of the manifest out"
            )
        by_path: dict[str, str] = {}
        for name, item in videos.items():
            by_path.setdefault(os.path.realpath(item.path), name)
        by_video: dict[str, list[Event]] = {}
        for event in as_events(source, tier):
            by_video.setdefault(_video_of(event, videos, by_path), []).append(event)
        # What a person is compared with counts whole where no event says otherwise.
        for name, item in videos.items():
            if name not in by_video and item.columns.get(BASELINE_FOR, "").strip():
                by_video[name] = [Event(0.0, math.inf, "baseline")]
        left_out = len(videos) - len(by_video)
        if left_out:
            log.warning("%d videos without an event are not read", left_out)
        with_events = {name: item for name, item in videos.items() if name in by_video}
        said = {name for item in with_events.values() for name in item.columns}
        twice = sorted(
            {n for few in by_video.values() for e in few for n in e.columns if n in said}
        )
        if twice:
            raise BatchError(
                f"both the manifest and the events have a column '{twice[0]}': rename one"
            )
        return cls(with_events, {name: by_video[name] for name in with_events})

    @property
    def lines(self) -> list[dict[str, str]]:
        """What the manifest and the list of events say together, event by event."""
        return [
            {**self.videos[name].columns, **event.columns}
            for name, few in self.events.items()
            for event in few
        ]

    @property
    def digest(self) -> str:
        """Identify the events: other ones make other rows."""
        listed = [
            [name, event.start, event.end, event.name, event.columns]
            for name, few in sorted(self.events.items())
            for event in few
        ]
        text = json.dumps(listed, sort_keys=True)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def _video_of(event: Event, videos: Mapping[str, BatchInput], by_path: Mapping[str, str]) -> str:
    """Return the name of the video of an event."""
    if event.file is None:
        if len(videos) > 1:
            raise BatchError(
                f"the event from {event.start:g} to {event.end:g} s names no video, and there are "
                f"{len(videos)}: add a column 'file', or link the video in ELAN"
            )
        return next(iter(videos))
    match = by_path.get(os.path.realpath(event.file))
    if match is not None:
        return match
    # A list may lie elsewhere, or name the file alone.
    name = os.path.basename(event.file)
    matches = [each for each, item in videos.items() if os.path.basename(item.path) == name]
    if len(matches) == 1:
        return matches[0]
    problem = (
        f"{len(matches)} videos of the batch have this name" if matches else "not in the batch"
    )
    raise BatchError(f"{event.file}: an event is in this video, which is {problem}")
