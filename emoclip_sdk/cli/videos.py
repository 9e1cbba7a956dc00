"""Video arguments, and going through them so that one that fails does not stop the rest."""

from __future__ import annotations

import functools
import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import typer

from ..errors import EmoCLIPError, VideoError
from ..video.opening import VIDEO_SUFFIXES
from .running import DEBUG

__all__ = ["STDIN", "attempt", "expand", "refuse_labels", "standard_input"]

STDIN = "-"
"""In the place of a video: what comes through the pipe."""


def expand(videos: Sequence[str]) -> list[str]:
    """Replace folders that hold videos by these; a folder without any is a folder of frames."""
    paths: list[str] = []
    for video in videos:
        inside: list[Path] = []
        try:
            if os.path.isdir(video):
                inside = [f for f in Path(video).iterdir() if _is_video(f)]
        except (OSError, ValueError):
            pass  # what is wrong with it is said when it is opened
        paths += sorted(map(str, inside)) or [video]
    return paths


def _is_video(file: Path) -> bool:
    return file.suffix.lower() in VIDEO_SUFFIXES and file.name[0] != "." and file.is_file()


def refuse_labels(videos: Sequence[str], labels: str | None) -> None:
    """Refuse labels that stand where videos do: ``--labels happy sad`` makes "sad" one.

    Raises
    ------
    typer.BadParameter
        One of `videos` is no file, and a label of the bank or one word, while there are `labels`.
    """
    from ..prompts import PromptBank

    if labels is None:
        return
    for video in videos:
        if os.path.exists(video) or video == STDIN:
            continue
        known = video in PromptBank.default()
        if known or re.fullmatch(r"[^\W_]+", video):
            more = ", but a label of that name" if known else ""
            raise typer.BadParameter(
                f"there is no file '{video}'{more}. Separate labels by commas: "
                f"--labels '{labels},{video}'",
                param_hint="--labels",
            )


@functools.cache
def standard_input() -> bytes:
    """Return all that comes in, which can be read once only.

    Raises
    ------
    VideoError
        Nobody sends anything: it is a terminal.
    """
    if sys.stdin is None or sys.stdin.isatty():
        raise VideoError(STDIN, "means standard input, and that is a terminal: pipe a video in")
    return sys.stdin.buffer.read()


def attempt(
    call: Callable[..., Any], video: str, *arguments: Any, **options: Any
) -> tuple[Any, str | None]:
    """Return ``call(video, ...)`` and None, or None and what is wrong with the video.

    What is no fault of this video, such as a detector that is not installed, is raised.
    """
    try:
        return call(standard_input() if video == STDIN else video, *arguments, **options), None
    except VideoError as error:
        known = video == STDIN or error.name in (video, os.path.basename(video))
        return None, error.reason if known else str(error)
    except EmoCLIPError:
        raise
    except Exception as error:
        if os.environ.get(DEBUG):
            raise
        return None, (
            f"unexpected {type(error).__name__}: {error} (a bug in emoclip_sdk; "
            f"{DEBUG}=1 shows where)"
        )
