"""``emoclip doctor``: a sound installation, and broken ones."""

from __future__ import annotations

import importlib.metadata
import json
import sys

import pytest


@pytest.fixture
def examined(emoclip):
    def run(*arguments):
        code, out, err = emoclip("doctor", "--json", *arguments)
        return code, {row["subject"]: row for row in json.loads(out)}, err

    return run


def test_nothing_is_wrong_here(emoclip, examined):
    code, found, err = examined()
    assert code == 0 and not err
    assert {"Python", "packages", "processor", "model cache", "embedded model"} <= set(found)
    assert "read 'happiness'" in found["embedded model"]["text"]
    code, out, _ = emoclip("doctor")
    assert code == 0 and out.startswith("All fine.") and len(out.splitlines()) == 1
    code, out, _ = emoclip("doctor", "--verbose")
    assert code == 0 and out.startswith("All fine.") and "extra 'train'" in out


def test_an_old_package_and_a_missing_one(emoclip, examined, monkeypatch):
    version = importlib.metadata.version

    def other(name):
        if name == "scikit-learn":
            raise importlib.metadata.PackageNotFoundError(name)
        return "1.20.0" if name == "numpy" else version(name)

    monkeypatch.setattr(importlib.metadata, "version", other)
    code, found, err = examined()
    assert code == 1 and "packages" in err
    _, out, _ = emoclip("doctor")
    assert out.startswith("1 wrong.") and "numpy is 1.20.0" in out and "processor" not in out
    assert "numpy is 1.20.0, not >=" in found["packages"]["text"]
    train = found["extra 'train'"]
    assert train["state"] == "note" and 'pip install "emoclip_sdk[train]"' in train["advice"]


def test_a_library_of_the_system_is_missing(examined, monkeypatch):
    class Refusing:
        def find_spec(self, name, path=None, target=None):
            if name == "cv2":
                raise ImportError("libGL.so.1: cannot open shared object file")

    monkeypatch.delitem(sys.modules, "cv2", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Refusing(), *sys.meta_path])
    code, found, _ = examined()
    assert code == 1 and "apt-get install libgl1" in found["cv2"]["advice"]
    assert "torch" not in found  # what is sound isn't listed one by one


def test_a_model_and_a_device_that_are_not_there(examined, tmp_path):
    code, found, _ = examined("--model", tmp_path / "nowhere")
    assert code == 1 and "no such folder" in found[f"model {tmp_path / 'nowhere'}"]["text"]
    code, found, _ = examined("--device", "cuda:9")
    assert code == 1 and "cuda:9" in found["embedded model"]["text"]
    assert "EMOCLIP_DEBUG" not in found["embedded model"]["advice"]  # is for what nobody expected


def test_what_nobody_expected(examined, monkeypatch):
    monkeypatch.setattr("emoclip_sdk.diagnostics.bench.clips.portrait", lambda: 1 / 0)
    code, found, _ = examined()
    assert code == 1 and "ZeroDivisionError" in found["embedded model"]["text"]
    assert "EMOCLIP_DEBUG" in found["embedded model"]["advice"]


def test_another_model(examined, tiny_checkpoint, textless_checkpoint):
    for model in (tiny_checkpoint, textless_checkpoint):
        code, found, _ = examined("--model", model, "--device", "cpu")
        assert code == 0 and "loaded in" in found[f"model {model}"]["text"]
