"""Video arguments, and going through them so that one that fails does not stop the rest."""

from __future__ import annotations

import functools
import os
import re
import shlex
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import typer

from ..errors import BatchError, EmoCLIPError, VideoError
from ..inference.options import WINDOW
from .running import DEBUG

if TYPE_CHECKING:
    from ..batch.inputs import FolderKind

__all__ = ["STDIN", "attempt", "expand", "one_video", "refuse_labels", "standard_input"]

STDIN = "-"
"""In the place of a video: what comes through the pipe."""


def expand(videos: Sequence[str], folder_as: FolderKind | None = None) -> list[str]:
    """Replace folders by the videos in them and below, as `emoclip batch` does.

    Raises
    ------
    typer.BadParameter
        A folder holds pictures alone, and nothing says what they are.
    """
    from ..batch.inputs import FolderQuestion, videos_in

    paths: list[str] = []
    for video in videos:
        if not _is_folder(video):
            paths.append(video)
            continue
        try:
            paths += [path for path in videos_in(video, folder_as) if path not in paths]
        except FolderQuestion as error:
            raise typer.BadParameter(str(error), param_hint="VIDEO") from None
        except BatchError:
            paths.append(video)  # what is wrong with it is said when it is opened
    return paths


def one_video(video: str) -> str:
    """Return the one video that is meant: of a folder the one in it, or the one of its frames.

    Raises
    ------
    typer.BadParameter
        A folder holds several.
    """
    from ..batch.inputs import FolderQuestion, videos_in

    if not _is_folder(video):
        return video
    try:
        inside = videos_in(video)
    except FolderQuestion:  # which has one answer here
        inside = videos_in(video, "video")
    except BatchError:
        return video  # what is wrong with it is said when it is opened
    if len(inside) > 1:
        raise typer.BadParameter(
            f"'{video}' holds {len(inside)} videos, and this command reads one: name it, such as "
            f"'{inside[0]}'. All of them, over time, in one table: "
            f"emoclip batch {shlex.quote(video)} --window {WINDOW:g} -o windows.csv",
            param_hint="VIDEO",
        )
    return inside[0]


def _is_folder(video: str) -> bool:
    try:
        return os.path.isdir(video)
    except (OSError, ValueError):
        return False  # what is wrong with it is said when it is opened


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
