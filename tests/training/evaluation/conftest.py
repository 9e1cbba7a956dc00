"""Pictures that stand in for FER+'s."""

from __future__ import annotations

import numpy as np
import pytest

from emoclip_sdk.training.data.ferplus import FERPLUS_CLASSES, Pictures


@pytest.fixture(scope="module")
def pictures() -> Pictures:
    """Dark pictures that everybody calls neutral; bright ones of the other classes."""
    labels = np.arange(48) % 8
    images = np.full((48, 32, 32), 200, np.uint8)
    images[labels == 0] = 60
    return Pictures(images, np.eye(8, dtype=np.float32)[labels], FERPLUS_CLASSES)
