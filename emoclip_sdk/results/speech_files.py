"""Speech from the files in which others write it: diarization, subtitles, transcripts of ELAN."""

from __future__ import annotations

import html
import io
import math
import os
import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from ..errors import EmoCLIPError
from .elan_tiers import ElanTiers
from .speech import Speech, Utterance

__all__ = ["SpeakerChoice", "as_speech", "read_speech"]

SpeakerChoice = Collection[str] | Mapping[int, str]
"""Names of the speakers who count, or which speaker's face a track is."""

_BEGIN, _FIELDS = 3, 8  # of a line of RTTM: where the times stand, and how many fields count
_VOICE = re.compile(r"<v(?:\.\S+)?\s+([^>]*)>")  # of WebVTT
_PREFIX = re.compile(r"\[([^\]]+)\]:\s*")  # as WhisperX writes it
_TAG = re.compile(r"<[^>]*>|\{\\[^}]*\}")


def as_speech(
    speech: str | os.PathLike[str] | Iterable[Utterance] | Speech,
    speakers: SpeakerChoice | None = None,
    video: str | None = None,
) -> Speech:
    """Return speech from a file (:func:`read_speech`), or from what a caller lists.

    Raises
    ------
    EmoCLIPError
        The file can't be used, or a speaker isn't there.
    """
    if isinstance(speech, str | os.PathLike):
        return read_speech(speech, speakers, video=video)
    listed = speech.utterances if isinstance(speech, Speech) else tuple(speech)
    if not all(isinstance(each, Utterance) for each in listed):
        raise EmoCLIPError("speech is a file, or a list of Utterance")
    if speakers is None and isinstance(speech, Speech):
        return speech
    return _chosen(listed, speakers, "the speech")


def read_speech(
    path: str | os.PathLike[str],
    speakers: SpeakerChoice | None = None,
    *,
    video: str | None = None,
) -> Speech:
    """Read who speaks when.

    Parameters
    ----------
    path : path
        ``.rttm`` (pyannote, NeMo, Kaldi; an empty one: nobody speaks), ``.srt`` or ``.vtt``
        subtitles (WhisperX and Whisper; the speaker is ``<v Ann>`` in WebVTT, or ``[SPEAKER_00]:``
        before the text), or ``.eaf`` (ELAN; a tier is a speaker). Times are those of the video's
        clock.
    speakers : collection of str or mapping of int to str, optional
        Who counts; None: everybody. Or which speaker's face a track is: ``{0: "A"}``. Of a document
        of ELAN with several tiers, the names of those that hold speech.
    video : str, optional
        The video's name, by which its lines are found in an RTTM of several recordings.

    Raises
    ------
    EmoCLIPError
        The file can't be read, has a line that is no speech, or not the speakers.
    """
    path = Path(path)
    ending = path.suffix.lower()
    if ending not in _READERS:
        raise EmoCLIPError(f"{path}: speech is read from {', '.join(_READERS)}")
    tiers: tuple[str, ...] = ()
    if ending == ".eaf":
        utterances, tiers = _of_elan(path, speakers)
    elif ending == ".rttm":
        utterances = _of_rttm(path, video)
    else:
        utterances = _of_subtitles(path)
    ordered = sorted(utterances, key=lambda each: (each.start, each.end))
    return _chosen(ordered, speakers, str(path), tiers)


def _names(speakers: SpeakerChoice) -> list[str]:
    if isinstance(speakers, str):
        raise EmoCLIPError(f"speakers is a list of names, such as ['{speakers}'], or a mapping")
    return list(dict.fromkeys(speakers.values() if isinstance(speakers, Mapping) else speakers))


def _chosen(
    utterances: Iterable[Utterance],
    speakers: SpeakerChoice | None,
    where: str,
    silent: Collection[str] = (),
) -> Speech:
    """Keep the speakers who count; those of `silent` may say nothing."""
    utterances = tuple(utterances)
    if speakers is None:
        return Speech(utterances)
    names = _names(speakers)
    known = list(dict.fromkeys(each.speaker for each in utterances if each.speaker))
    for name in names:
        if utterances and name not in known and name not in silent:
            raise EmoCLIPError(
                f"{where}: has no speaker '{name}'; "
                + (f"there are: {', '.join(known)}" if known else "it names no speakers")
            )
    if isinstance(speakers, Mapping):
        return Speech(utterances, dict(speakers))
    return Speech(tuple(each for each in utterances if each.speaker in names))


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
        wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
        return content.decode("utf-16" if wide else "utf-8-sig")
    except OSError as error:
        raise EmoCLIPError(f"{path}: can't be read ({error.strerror or error})") from error
    except UnicodeDecodeError as error:
        raise EmoCLIPError(f"{path}: is no text in UTF-8 ({error.reason}); save it so") from error


def _of_rttm(path: Path, video: str | None) -> list[Utterance]:
    """Read the lines SPEAKER of RTTM (NIST, Rich Transcription 2009, appendix A of the plan)."""
    recordings: dict[str, list[Utterance]] = {}
    for number, line in enumerate(_text(path).splitlines(), 1):
        fields = line.split()
        if not fields or fields[0].startswith(";;") or fields[0] != "SPEAKER":
            if fields and not fields[0].startswith(";;") and fields[0] not in _OTHER_LINES:
                raise EmoCLIPError(f"{path}, line {number}: is no line of RTTM: {line.strip()!r}")
            continue
        try:
            start, length = float(fields[_BEGIN]), float(fields[_BEGIN + 1])
            speaker = fields[_FIELDS - 1]
        except (IndexError, ValueError):
            start = math.nan
        if not (math.isfinite(start) and math.isfinite(length) and start >= 0 and length >= 0):
            raise EmoCLIPError(
                f"{path}, line {number}: a line of RTTM is SPEAKER, file, channel, start, "
                f"duration, <NA>, <NA>, speaker, not {line.strip()!r}"
            )
        if length:
            recordings.setdefault(fields[1], []).append(
                Utterance(start, round(start + length, 6), None if speaker == "<NA>" else speaker)
            )
    if len(recordings) < 2:  # none: nobody speaks
        return next(iter(recordings.values()), [])
    stem = Path(video or "").stem
    if stem not in recordings:
        raise EmoCLIPError(
            f"{path}: is about several recordings ({', '.join(recordings)}), none of which is "
            f"called '{stem}' as the video"
        )
    return recordings[stem]


_OTHER_LINES = (
    *("LEXEME", "NON-LEX", "NON-SPEECH", "FILLER", "EDIT", "SU", "IP", "CB", "A/P", "SEGMENT"),
    *("NOSCORE", "NO_RT_METADATA", "SPKR-INFO"),
)


def _of_subtitles(path: Path) -> list[Utterance]:
    """Read cues with FFmpeg, which leaves out what it can't read: so count them, too."""
    import av

    text = _text(path)
    try:
        # As UTF-8 and of a stated kind: what FFmpeg guesses is not always what the ending says.
        with av.open(io.BytesIO(text.encode()), format=_FORMATS[path.suffix.lower()]) as container:
            base = float(container.streams.subtitles[0].time_base or 0)
            cues = [
                (float(packet.pts) * base, float(packet.duration or 0) * base, bytes(packet))
                for packet in container.demux(container.streams.subtitles[0])
                if packet.pts is not None
            ]
    except (av.error.FFmpegError, OSError) as error:
        raise EmoCLIPError(f"{path}: can't be read as subtitles ({error})") from error
    arrows = [number for number, line in enumerate(text.splitlines(), 1) if "-->" in line]
    if not cues or len(cues) < len(arrows):
        raise EmoCLIPError(
            f"{path}: {len(arrows) - len(cues)} of {len(arrows)} cues can't be read"
            if arrows
            else f"{path}: holds no cues, such as 00:00:01.000 --> 00:00:02.500"
        )
    found = []
    for start, length, content in cues:
        speaker, spoken = _spoken(content.decode("utf-8", "replace"))
        if not length > 0:
            raise EmoCLIPError(f"{path}: the cue at {start:g} s ends before it starts")
        found.append(Utterance(round(start, 6), round(start + length, 6), speaker, spoken))
    return found


def _spoken(cue: str) -> tuple[str | None, str | None]:
    """Return the speaker of a cue, and its text without marks."""
    voice = _VOICE.search(cue)
    text = " ".join(html.unescape(_TAG.sub("", cue)).split())
    prefix = _PREFIX.match(text)
    if prefix is not None:
        text = text[prefix.end() :]
    name = voice[1].strip() if voice else prefix[1].strip() if prefix else ""
    return html.unescape(name) or None, text or None


def _of_elan(path: Path, speakers: SpeakerChoice | None) -> tuple[list[Utterance], tuple[str, ...]]:
    """Return the annotations of the tiers that hold speech, and the names of these."""
    document = ElanTiers.read(path)
    tiers = document.with_times if speakers is None else tuple(_names(speakers))
    if not document.with_times:
        raise EmoCLIPError(f"{path}: has no annotation with a time")
    if speakers is None and len(tiers) > 1:
        raise EmoCLIPError(
            f"{path}: say which of its tiers are speech, by speakers (--speaker): "
            f"{', '.join(tiers)}"
        )
    utterances = [
        Utterance(each.start, each.end, tier, " ".join(each.text.split()) or None)
        for tier in tiers
        for each in document.annotations(tier)
    ]
    return utterances, tiers


_FORMATS = {".srt": "srt", ".vtt": "webvtt"}  # as FFmpeg calls them
_READERS = (".rttm", *_FORMATS, ".eaf")
