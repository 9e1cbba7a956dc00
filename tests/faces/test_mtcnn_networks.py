"""Our networks of MTCNN against those of facenet-pytorch."""

from __future__ import annotations

import sys
import types
from importlib.machinery import ModuleSpec

import pytest
import torch
from facenet_pytorch import MTCNN
from facenet_pytorch.models.mtcnn import ONet, PNet, RNet

from emoclip_sdk.errors import EmoCLIPError
from emoclip_sdk.faces import MTCNNDetector
from emoclip_sdk.faces.mtcnn_networks import FACTOR, THRESHOLDS, load_networks


def test_networks_are_those_of_the_library() -> None:
    library = MTCNN()
    assert tuple(library.thresholds) == THRESHOLDS
    assert library.factor == FACTOR
    torch.manual_seed(0)
    for ours, theirs, size in zip(
        load_networks(torch.device("cpu")), (PNet(), RNet(), ONet()), (40, 24, 48), strict=True
    ):
        pictures = torch.randn(3, 3, size, size)
        shifts, confidence = ours(pictures)
        expected, *_, scores = theirs(pictures)
        torch.testing.assert_close(shifts, expected)
        torch.testing.assert_close(confidence, scores[:, 1])


def test_damaged_facenet_weights_are_named(monkeypatch, tmp_path) -> None:
    package = types.ModuleType("facenet_pytorch")
    package.__spec__ = ModuleSpec("facenet_pytorch", None, is_package=True)
    package.__spec__.submodule_search_locations = [str(tmp_path)]
    monkeypatch.setitem(sys.modules, "facenet_pytorch", package)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "pnet.pt").write_bytes(b"no weights")
    with pytest.raises(EmoCLIPError, match=r"pnet\.pt.*pip install"):
        MTCNNDetector()
