"""What the suite is measured on: a small FER+, prompts by others, a checkpoint to write to."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from emoclip_sdk.training.data.ferplus import FERPLUS_CLASSES, Pictures


@pytest.fixture(scope="module")
def ferplus(pictures: Pictures, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ferplus") / "ferplus.npz"
    rng = np.random.default_rng(0)
    np.savez(
        path,
        images=rng.integers(0, 256, pictures.images.shape, dtype=np.uint8),
        votes=np.pad(pictures.votes * 10, ((0, 0), (0, 2))).astype(np.uint8),
        columns=np.array([*FERPLUS_CLASSES, "unknown", "NF"]),
        split=np.array(["valid", "test"]).repeat(24),
        duplicate=np.zeros(48, bool),
    )
    return path


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("prompts") / "others.yaml"
    path.write_text("".join(f"{name}: a face of {name}\n" for name in FERPLUS_CLASSES))
    return path


@pytest.fixture
def checkpoint(tiny_checkpoint: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_checkpoint, tmp_path / "mine"))
