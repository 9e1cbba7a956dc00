"""Who speaks in the videos of a study: files that a manifest names in the column ``speech``."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from ..errors import BatchError, EmoCLIPError
from ..results.speech import Speech
from ..results.speech_files import SpeakerChoice, read_speech
from ..results.timeline import Timeline
from .inputs import BatchInput

__all__ = ["SPEAKER_COLUMN", "StudySpeech"]

SPEAKER_COLUMN = "speech_speaker"
"""The column that says who counts in a video, where it isn't the same name in all."""


@dataclass(frozen=True)
class StudySpeech:
    """The speech of each video that has any.

    Attributes
    ----------
    speech : dict of str to Speech
        By the names of the videos.
    silent : bool
        Only windows in which nobody speaks have scores.
    """

    speech: dict[str, Speech]
    silent: bool

    @classmethod
    def of(
        cls, videos: Mapping[str, BatchInput], speakers: SpeakerChoice | None, silent: bool
    ) -> StudySpeech:
        """Read the files that the lines of a manifest name.

        Raises
        ------
        BatchError
            One can't be read, none is named where speakers or silence are asked for, or a video of
            which only silence counts has none.
        """
        named = {name: item for name, item in videos.items() if item.speech is not None}
        if not named and (speakers is not None or silent):
            raise BatchError(
                "nothing says who speaks: name the files in a column 'speech' of the manifest"
            )
        without = [name for name in videos if name not in named]
        if silent and without:
            raise BatchError(
                f"{without[0]}: nothing says who speaks in it, and only silence counts: name a "
                "file in the manifest's column 'speech' (an empty .rttm: nobody does)"
            )
        speech = {}
        for name, item in named.items():
            assert item.speech is not None
            one = item.columns.get(SPEAKER_COLUMN, "").strip()
            try:
                speech[name] = read_speech(item.speech, [one] if one else speakers, video=item.path)
            except EmoCLIPError as error:
                raise BatchError(f"{error} (the speech of {name})") from None
        return cls(speech, silent)

    def __bool__(self) -> bool:
        return bool(self.speech)

    def applied(self, name: str, timeline: Timeline) -> Timeline:
        """Return the timeline of a video with what is said in it."""
        if name not in self.speech:
            return timeline
        spoken = timeline.with_speech(self.speech[name])
        return spoken.silent() if self.silent else spoken

    @property
    def digest(self) -> str:
        """Identify what is said: other speech makes other rows."""
        listed = {name: speech.to_dict() for name, speech in sorted(self.speech.items())}
        text = json.dumps([listed, self.silent], sort_keys=True)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]
