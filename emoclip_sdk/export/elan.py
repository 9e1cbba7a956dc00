"""ELAN's annotation format, EAF 3.0."""

from __future__ import annotations

import mimetypes
import os
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from .files import plain_text
from .intervals import Interval, label_intervals

if TYPE_CHECKING:
    from ..results.scored_windows import ScoredWindows

__all__ = ["eaf"]

_SCHEMA = "http://www.mpi.nl/tools/elan/EAFv3.0.xsd"
_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
_LABEL, _SCORE, _VOCABULARY = "apparent expression", "score", "labels"
_LANGUAGE = {  # how ELAN itself notes that a vocabulary has no language
    "LANG_ID": "und",
    "LANG_DEF": "http://cdb.iso.org/lg/CDB-00130975-001",
    "LANG_LABEL": "undetermined (und)",
}
_CONSTRAINTS = {
    "Time_Subdivision": "Time subdivision of parent annotation's time interval, no time gaps "
    "allowed within this interval",
    "Symbolic_Subdivision": "Symbolic subdivision of a parent annotation. Annotations refering to "
    "the same parent are ordered",
    "Symbolic_Association": "1-1 association with a parent annotation",
    "Included_In": "Time alignable annotations within the parent annotation's time interval, gaps "
    "are allowed",
}


def eaf(timeline: ScoredWindows, path: Path) -> str:
    """Return an ELAN document: a tier of labels for each face, with a tier of scores below it.

    The labels are a controlled vocabulary, so ELAN offers them when an annotation is corrected.

    Parameters
    ----------
    timeline : ScoredWindows
    path : Path
        Where it will be written: the path of the video is relative to it.
    """
    root = Element(
        "ANNOTATION_DOCUMENT",
        {
            "AUTHOR": "emoclip_sdk",
            "DATE": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "FORMAT": "3.0",
            "VERSION": "3.0",
            "xmlns:xsi": _INSTANCE,
            "xsi:noNamespaceSchemaLocation": _SCHEMA,
        },
    )
    by_face = label_intervals(timeline)
    labels = {plain_text(label): f"label{i}" for i, label in enumerate(timeline.labels)}
    _header(root, timeline, path, sum(map(len, by_face.values())))
    slots = SubElement(root, "TIME_ORDER")
    number = 0
    for face, face_intervals in by_face.items():
        number = _tiers(
            root, slots, plain_text(timeline.face_name(face)), face_intervals, labels, number
        )
    slots[:] = sorted(slots, key=lambda slot: int(slot.attrib["TIME_VALUE"]))
    for name, more in (
        (_LABEL, {"TIME_ALIGNABLE": "true", "CONTROLLED_VOCABULARY_REF": _VOCABULARY}),
        (_SCORE, {"TIME_ALIGNABLE": "false", "CONSTRAINTS": "Symbolic_Association"}),
    ):
        kind = {"LINGUISTIC_TYPE_ID": name, "GRAPHIC_REFERENCES": "false", **more}
        SubElement(root, "LINGUISTIC_TYPE", kind)
    SubElement(root, "LANGUAGE", _LANGUAGE)
    for stereotype, description in _CONSTRAINTS.items():
        constraint = {"STEREOTYPE": stereotype, "DESCRIPTION": description}
        SubElement(root, "CONSTRAINT", constraint)
    vocabulary = SubElement(root, "CONTROLLED_VOCABULARY", {"CV_ID": _VOCABULARY})
    SubElement(vocabulary, "DESCRIPTION", {"LANG_REF": "und"})
    for label, key in labels.items():
        entry = SubElement(vocabulary, "CV_ENTRY_ML", {"CVE_ID": key})
        SubElement(entry, "CVE_VALUE", {"LANG_REF": "und", "DESCRIPTION": ""}).text = label
    indent(root, "    ")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, "unicode") + "\n"


def _header(root: Element, timeline: ScoredWindows, path: Path, n_labels: int) -> None:
    header = SubElement(root, "HEADER", {"MEDIA_FILE": "", "TIME_UNITS": "milliseconds"})
    media = _media(timeline.source, path)
    if media:
        SubElement(header, "MEDIA_DESCRIPTOR", media)
    properties = {"lastUsedAnnotationId": str(2 * n_labels)}
    if timeline.model is not None:
        properties["emoclip_sdk:model"] = plain_text(timeline.model.name)
        properties["emoclip_sdk:revision"] = plain_text(timeline.model.revision or "")
        properties["emoclip_sdk:prompt_bank"] = timeline.model.prompt_bank
    for name, value in properties.items():
        SubElement(header, "PROPERTY", {"NAME": name}).text = value


def _media(source: str, path: Path) -> dict[str, str] | None:
    """Return the attributes that point to the video; None: it was an array or a stream."""
    file = Path(plain_text(source))
    kind = mimetypes.guess_type(file.name)[0] or ""
    if not kind.startswith("video/") or "://" in source:
        return None
    if not file.is_file():  # only its name is known: ELAN looks beside the document
        name = quote(file.name)
        return {"MEDIA_URL": name, "MIME_TYPE": kind, "RELATIVE_MEDIA_URL": f"./{name}"}
    descriptor = {"MEDIA_URL": file.resolve().as_uri(), "MIME_TYPE": kind}
    try:
        relative = Path(os.path.relpath(file.resolve(), path.resolve().parent)).as_posix()
    except ValueError:  # another drive of Windows
        return descriptor
    return {
        **descriptor,
        "RELATIVE_MEDIA_URL": quote(relative if relative[0] == "." else f"./{relative}"),
    }


def _tiers(
    root: Element,
    slots: Element,
    name: str,
    face_intervals: Sequence[Interval],
    labels: dict[str, str],
    number: int,
) -> int:
    """Write the two tiers of a face; return the number of the last annotation."""
    tier = SubElement(root, "TIER", {"TIER_ID": name, "LINGUISTIC_TYPE_REF": _LABEL})
    below = {"TIER_ID": f"{name}: score", "LINGUISTIC_TYPE_REF": _SCORE, "PARENT_REF": name}
    scores = SubElement(root, "TIER", below)
    for interval in face_intervals:
        ids = []
        for time in (interval.start, interval.end):
            ids.append(f"ts{len(slots) + 1}")
            slot = {"TIME_SLOT_ID": ids[-1], "TIME_VALUE": str(time)}
            SubElement(slots, "TIME_SLOT", slot)
        annotation = SubElement(
            SubElement(tier, "ANNOTATION"),
            "ALIGNABLE_ANNOTATION",
            {
                "ANNOTATION_ID": f"a{number + 1}",
                "CVE_REF": labels[interval.label],
                "TIME_SLOT_REF1": ids[0],
                "TIME_SLOT_REF2": ids[1],
            },
        )
        SubElement(annotation, "ANNOTATION_VALUE").text = interval.label
        score = SubElement(
            SubElement(scores, "ANNOTATION"),
            "REF_ANNOTATION",
            {"ANNOTATION_ID": f"a{number + 2}", "ANNOTATION_REF": f"a{number + 1}"},
        )
        SubElement(score, "ANNOTATION_VALUE").text = f"{interval.score:.3f}"
        number += 2
    return number
