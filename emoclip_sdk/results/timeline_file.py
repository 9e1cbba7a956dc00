"""A timeline from the document that :meth:`Timeline.save` writes: the way back."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import EmoCLIPError
from ..faces import FaceQuality, TrackPerson
from .baseline import FaceBaseline
from .records import FaceTrack, ModelInfo
from .reliability import LabelReliability
from .scored_windows import TimelineRow
from .speech import Speech

__all__ = ["read_timeline"]

_NUMBERS = ("score_changes", "action_changes", "actions", "scores", "similarities")


def read_timeline(path: str | Path) -> dict[str, Any]:
    """Read the fields of a :class:`ScoredWindows` from a ``.json`` file.

    Raises
    ------
    EmoCLIPError
        The file can't be read, or is no such document.
    """
    path = Path(path)
    if path.suffix.lower() != ".json":
        raise EmoCLIPError(f"{path}: a timeline is loaded from the .json file that save() writes")
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise EmoCLIPError(f"{path}: can't be read ({error.strerror or error})") from error
    except (ValueError, RecursionError) as error:
        raise EmoCLIPError(f"{path}: is no JSON ({error})") from error
    try:
        return _fields(document)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise EmoCLIPError(
            f"{path}: is no timeline that Timeline.save wrote ({type(error).__name__}: {error})"
        ) from error


def _fields(document: Mapping[str, Any]) -> dict[str, Any]:
    given = dict(document)
    given.pop("status")
    model, speech = given["model"], given.get("speech")
    return {
        **given,
        "labels": tuple(given["labels"]),
        "rows": tuple(_row(row) for row in given["rows"]),
        "tracks": tuple(FaceTrack(**track) for track in given["tracks"]),
        "baselines": tuple(_baseline(each) for each in given["baselines"]),
        "speech": None if speech is None else Speech.from_dict(speech),
        "model": None if model is None else ModelInfo(**model),
        "reliability": {
            label: LabelReliability(**{**known, "unread": tuple(known["unread"])})
            for label, known in given.get("reliability", {}).items()
        },
    }


def _row(document: Mapping[str, Any]) -> TimelineRow:
    row = dict(document)
    for name in ("face_found", "label"):
        row.pop(name)
    for name in ("answer", "action_text"):
        row.pop(name, None)
    quality, box, person = row["quality"], row["box"], row.pop("person", None)
    row |= {name: _numbers(row.get(name)) for name in _NUMBERS}
    return TimelineRow(
        **{
            **row,
            "confidence": _number(row["confidence"]),
            "detection_confidence": _number(row["detection_confidence"]),
            "box": None if box is None else tuple(map(_number, box)),
            "quality": None if quality is None else FaceQuality(**_numbers(quality) or {}),
            "person": None
            if person is None
            else TrackPerson(**{**person, "certainty": _number(person["certainty"])}),
            "tied": tuple(row.get("tied", ())),
            "present": tuple(row.get("present", ())),
            "seen": tuple((float(start), float(end)) for start, end in row["seen"]),
        }
    )


def _baseline(document: Mapping[str, Any]) -> FaceBaseline:
    numbers = {name: _number(document[name]) for name in ("start", "end", "neutral", "movement")}
    values = {name: _numbers(document[name]) for name in ("scores", "actions")}
    return FaceBaseline(**{**document, **numbers, **values})


def _numbers(values: Mapping[str, Any] | None) -> dict[str, float] | None:
    return None if values is None else {name: _number(value) for name, value in values.items()}


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)
