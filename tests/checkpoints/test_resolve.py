"""What a model name means."""

from __future__ import annotations

import pytest

from emoclip_sdk.checkpoints import BASELINES, embedded_folder, load, resolve
from emoclip_sdk.errors import CheckpointError, HubError


@pytest.fixture
def package(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.resources.files", lambda name: tmp_path / "package")
    return tmp_path / "package"


def test_none_is_the_embedded_model(package):
    (package / "emoclip-mini").mkdir(parents=True)
    assert resolve() == resolve("emoclip-mini") == embedded_folder()
    assert resolve() == package / "emoclip-mini"


def test_a_package_without_its_model_is_a_broken_installation(package):
    with pytest.raises(CheckpointError, match="installation is incomplete.*pip install"):
        resolve()


def test_folders(folder, monkeypatch):
    assert resolve(folder) == folder
    assert resolve(str(folder)) == folder
    assert load(folder).config.info["name"] == "tiny"
    monkeypatch.chdir(folder.parent)
    assert load("saved").config.info["name"] == "tiny"
    assert load("./saved").config.info["name"] == "tiny"
    # a folder wins over a repository of the same name
    (folder.parent / "org").mkdir()
    folder.rename(folder.parent / "org" / "tiny")
    assert load("org/tiny").config.info["name"] == "tiny"


@pytest.mark.parametrize("name", ["./nowhere", "/nowhere/at/all", "~/nowhere-at-all"])
def test_a_path_is_never_looked_up_on_the_hub(name):
    with pytest.raises(CheckpointError, match="no such folder.*clip-vit-b-32") as error:
        resolve(name)
    assert not isinstance(error.value, HubError)


def test_baselines_by_name():
    assert resolve("clip-vit-b-32") is BASELINES["clip-vit-b-32"]
    assert set(BASELINES) == {
        "clip-vit-b-32",
        "clip-vit-b-32-openai",
        "clip-vit-b-16-openai",
        "clip-vit-l-14-openai",
        "farl-vit-b-16",
    }


@pytest.mark.parametrize(
    ("name", "meant"),
    [("clip-vit-b32", "clip-vit-b-32"), ("FARL-ViT-B/16/", "farl-vit-b-16"), ("emoclip", None)],
)
def test_a_typo_lists_the_known_names(name, meant):
    with pytest.raises(CheckpointError, match="emoclip-mini, clip-vit-b-32, .*farl-vit-b-16") as e:
        resolve(name)
    if meant:
        assert f"Did you mean '{meant}'?" in str(e.value)


def test_a_revision_of_a_folder_means_nothing(folder):
    with pytest.raises(CheckpointError, match="revision='v2'"):
        resolve(folder, revision="v2")
