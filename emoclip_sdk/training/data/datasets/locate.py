"""Where a clip of a list is on disk: a folder of frames, or a video file of the same name."""

from __future__ import annotations

import os
from pathlib import Path

from ....errors import DatasetError
from ....video.opening import VIDEO_SUFFIXES
from ....video.pictures import CROP_SETTINGS, FRAME_SUFFIXES

__all__ = [
    "ClipFolder",
    "MissingClip",
    "has_pictures",
    "is_visible",
    "made_by_crop",
]


class MissingClip(Exception):
    """A clip of a list that is not on disk; the message says what was looked for."""


def is_visible(name: str) -> bool:
    """Whether a file or folder counts: not ``.DS_Store``, not ``Thumbs.db``."""
    return not name.startswith(".") and name.lower() not in ("thumbs.db", "desktop.ini")


def has_pictures(folder: Path) -> bool:
    """Whether there is a frame in the folder."""
    with os.scandir(folder) as entries:
        return any(
            is_visible(entry.name) and os.path.splitext(entry.name)[1].lower() in FRAME_SUFFIXES
            for entry in entries
        )


class ClipFolder:
    """Finds clips below a folder; each folder is listed once.

    Parameters
    ----------
    root : Path
        The folder.
    layout : str
        What the dataset should look like, for the error message.

    Raises
    ------
    DatasetError
        There is no such folder.
    """

    def __init__(self, root: Path, layout: str) -> None:
        if not root.is_dir():
            raise DatasetError(f"{root}: no such folder. Expected: {layout}")
        self.root = root
        self._listings: dict[str, tuple[set[str], dict[str, str]]] = {}

    def find(self, clip: str) -> Path:
        """Return the folder of frames of a clip (``a/b`` for nested ones), or else its video.

        Raises
        ------
        MissingClip
            Neither is there.
        """
        parent, _, name = clip.rpartition("/")
        folders, videos = self._list(parent)
        path = self.root / parent / name
        if name in folders and has_pictures(path):
            return path
        if name in videos:
            return path.with_name(videos[name])
        if name in folders:
            raise MissingClip(f"{path}: the folder holds no picture")
        raise MissingClip(f"{path}: no folder of frames and no video file of this name")

    def _list(self, parent: str) -> tuple[set[str], dict[str, str]]:
        if parent not in self._listings:
            folders: set[str] = set()
            videos: dict[str, str] = {}
            folder = self.root / parent
            names = sorted(os.listdir(folder)) if folder.is_dir() else []
            for name in names:
                stem, suffix = os.path.splitext(name)
                if suffix.lower() in VIDEO_SUFFIXES:
                    videos.setdefault(stem, name)
                else:
                    folders.add(name)
            self._listings[parent] = (folders, videos)
        return self._listings[parent]


def made_by_crop(clip: Path, root: Path) -> bool:
    """Whether a clip lies in a folder that ``emoclip-train crop`` has made, at or below `root`."""
    for folder in clip.parents:
        if (folder / CROP_SETTINGS).is_file():
            return True
        if folder == root:
            break
    return False
