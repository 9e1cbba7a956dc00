"""A generated study that fits on a page: 12 patients, 18 interviews, embeddings of width 16."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from emoclip_sdk.training.fixture.interviews import make_interviews
from emoclip_sdk.training.recipe import load_recipe


@pytest.fixture(scope="session")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the study. Don't write into it."""
    root = tmp_path_factory.mktemp("ness") / "study"
    make_interviews(root, patients=12, interviews=18, minutes=(1, 2), width=16, seed=1)
    return root


@pytest.fixture
def recipe() -> dict[str, Any]:
    changes = ["optim.epochs=30", "probe.hidden=32", "optim.weight_decay=3.0"]
    return load_recipe("ness", changes)
