"""A generated study that fits on a page: 12 patients, 18 interviews, embeddings of width 16."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from emoclip_sdk.training.data.cache import FrameCache
from emoclip_sdk.training.engine.recipe import load_recipe
from emoclip_sdk.training.ness.clips import StudyClips, embed_study
from emoclip_sdk.training.ness.manifest import Study, read_study
from emoclip_sdk.training.ness.scales import shipped_scales
from emoclip_sdk.training.synthetic.interviews import make_interviews

# A dozen patients make few steps in an epoch.
SMALL = ["probe.hidden=32", "optim.epochs=60", "optim.batch_size=6", "optim.lr=1e-2",
         "optim.weight_decay=1.0"]  # fmt: skip


@pytest.fixture(scope="session")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the study. Don't write into it."""
    root = tmp_path_factory.mktemp("ness") / "study"
    make_interviews(root, patients=12, interviews=18, minutes=(1, 2), width=16, seed=1)
    return root


@pytest.fixture
def recipe() -> dict[str, Any]:
    return load_recipe("ness", SMALL)


def loaded(root: Path) -> tuple[Study, StudyClips]:
    study = read_study(root, shipped_scales()["panss"])
    study, clips, unusable = embed_study(study, no_model, FrameCache(root / "cache"))
    assert not unusable
    return study, clips


def no_model() -> Any:
    raise AssertionError("embedded interviews need no model")
