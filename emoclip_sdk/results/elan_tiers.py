"""Documents of ELAN (.eaf): their tiers, and the video that they are linked to."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlparse
from xml.etree import ElementTree

from ..errors import EmoCLIPError

__all__ = ["Annotation", "ElanTiers", "beside_file"]


@dataclass(frozen=True)
class Annotation:
    """A stretch of time with a text, in seconds."""

    start: float
    end: float
    text: str


@dataclass(frozen=True)
class ElanTiers:
    """What a document holds that has times.

    Attributes
    ----------
    path : Path
    names : tuple of str
        Of all tiers.
    media : str, optional
        The video, where the document names one alone.

    Raises
    ------
    EmoCLIPError
        The document can't be read.
    """

    path: Path
    names: tuple[str, ...]
    media: str | None
    _times: dict[str | None, int]
    _tiers: dict[str, list[ElementTree.Element]]

    @classmethod
    def read(cls, path: Path) -> ElanTiers:
        """Read a document."""
        try:
            document = ElementTree.parse(path).getroot()
            times = {
                slot.get("TIME_SLOT_ID"): int(slot.get("TIME_VALUE", "-1"))
                for slot in document.iter("TIME_SLOT")
            }
        except OSError as error:
            raise EmoCLIPError(f"{path}: can't be read ({error.strerror or error})") from error
        except (ElementTree.ParseError, ValueError) as error:
            raise EmoCLIPError(f"{path}: is no document of ELAN ({error})") from error
        tiers = {
            str(each.get("TIER_ID")): list(each.iter("ALIGNABLE_ANNOTATION"))
            for each in document.iter("TIER")
        }
        return cls(path, tuple(tiers), _media(document, path), times, tiers)

    @property
    def with_times(self) -> tuple[str, ...]:
        """The tiers that have annotations with times of their own."""
        return tuple(name for name, annotations in self._tiers.items() if annotations)

    def annotations(self, tier: str) -> list[Annotation]:
        """Return the annotations of a tier, in order of time.

        Raises
        ------
        EmoCLIPError
            There is no such tier, or one of its annotations has no time.
        """
        if tier not in self._tiers:
            raise EmoCLIPError(
                f"{self.path}: has no tier '{tier}'; there are: {', '.join(self.names)}"
            )
        found = []
        for annotation in self._tiers[tier]:
            start, end = (self._times.get(annotation.get(f"TIME_SLOT_REF{i}"), -1) for i in (1, 2))
            text = (annotation.findtext("ANNOTATION_VALUE") or "").strip()
            if not 0 <= start < end:
                raise EmoCLIPError(
                    f"{self.path}: the annotation '{text}' of tier '{tier}' has no time"
                )
            found.append(Annotation(start / 1000, end / 1000, text))
        return sorted(found, key=lambda each: (each.start, each.end))


def beside_file(file: str, path: Path) -> str:
    """Return a path that stands in a file, relative to which it is."""
    return file if "://" in file else os.path.join(path.parent, file)


def _media(document: ElementTree.Element, path: Path) -> str | None:
    """Return the video of a document of ELAN, where it names one alone; sound is none."""
    media = [
        each
        for each in document.iter("MEDIA_DESCRIPTOR")
        if not each.get("MIME_TYPE", "").startswith("audio/")
    ]
    if len(media) != 1:
        return None
    relative = media[0].get("RELATIVE_MEDIA_URL")
    if relative:
        return beside_file(unquote(relative.removeprefix("file:")), path)
    address = urlparse(media[0].get("MEDIA_URL", ""))
    return unquote(address.path) if address.scheme in ("", "file") and address.path else None
