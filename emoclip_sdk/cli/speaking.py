"""``--speech``, ``--speaker``, ``--silent``: who speaks beside what a face shows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import EmoCLIPError
from ..results.silence import silent_row, spoken_row
from ..results.speech import Speech
from ..results.speech_files import SpeakerChoice, read_speech

if TYPE_CHECKING:
    from ..results.scored_windows import TimelineRow
    from ..results.timeline import Timeline

__all__ = ["Silent", "Speakers", "SpeechFile", "Spoken"]

SpeechFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Who speaks when: .rttm (diarization), .srt or .vtt (subtitles), .eaf (ELAN). Rows "
        "get the columns speaking (share of the window), speaker and text.",
        exists=True,
        dir_okay=False,
    ),
]
Speakers = Annotated[
    list[str] | None,
    typer.Option(
        "--speaker",
        metavar="NAME",
        help="Who counts, if not everybody: a name in the file (ELAN: a tier); may be repeated. "
        "0=NAME says whose face track 0 is.",
    ),
]
Silent = Annotated[
    bool,
    typer.Option(
        "--silent",
        help="Score only windows in which nobody speaks: a mouth that talks shows no expression.",
    ),
]


@dataclass(frozen=True)
class Spoken:
    """What is known of who speaks in a video.

    Parameters
    ----------
    speech : Speech, optional
        None: nothing is.
    silent : bool
        Only silence counts.
    """

    speech: Speech | None
    silent: bool

    @classmethod
    def parse(
        cls, file: Path | None, speakers: list[str] | None, silent: bool, video: str
    ) -> Spoken:
        """Read the options and the file, before any work.

        Raises
        ------
        typer.BadParameter
            Naming the option.
        """
        if file is None:
            for option, given in (("--speaker", speakers), ("--silent", silent)):
                if given:
                    raise typer.BadParameter("is for --speech.", param_hint=option)
            return cls(None, False)
        try:
            return cls(read_speech(file, _choice(speakers), video=video), silent)
        except EmoCLIPError as error:
            raise typer.BadParameter(str(error), param_hint="--speech") from None

    def timeline(self, timeline: Timeline) -> Timeline:
        """Return a timeline with what is said."""
        if self.speech is None:
            return timeline
        spoken = timeline.with_speech(self.speech)
        return spoken.silent() if self.silent else spoken

    def rows(self, rows: Iterable[TimelineRow]) -> Iterator[TimelineRow]:
        """Yield rows with what is said, as they come."""
        for row in rows:
            if self.speech is not None:
                row = spoken_row(row, self.speech)
            yield silent_row(row) if self.silent else row


def _choice(speakers: list[str] | None) -> SpeakerChoice | None:
    """Return names, or whose face a track is."""
    if not speakers:
        return None
    pairs = [re.fullmatch(r"(\d+)=(.+)", text) for text in speakers]
    if not any(pairs):
        return speakers
    faces = {int(pair[1]): pair[2] for pair in pairs if pair is not None}
    if not all(pairs) or len(faces) < len(pairs):
        raise typer.BadParameter(
            "either names, or one TRACK=NAME for each track.", param_hint="--speaker"
        )
    return faces
