"""Opening by name, FER+, and the published sizes."""

from __future__ import annotations

from pathlib import Path

import pytest

from emoclip_sdk.errors import DatasetError
from emoclip_sdk.training.data.datasets import open_clips


def test_unknown_names(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="There are: mafw, dfew"):
        open_clips("raf", tmp_path)
    with pytest.raises(DatasetError, match="no fold 6. There are: 1, 2, 3, 4, 5"):
        open_clips("dfew", tmp_path, fold=6)
    with pytest.raises(DatasetError, match="no task compound"):
        open_clips("dfew", tmp_path, task="compound")
    with pytest.raises(DatasetError, match="given by its layout"):
        open_clips("dfew", tmp_path, cropped=False)
