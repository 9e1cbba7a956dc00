"""Loading from and pushing to the Hub, through huggingface_hub's own code and a local server."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import torch

from emoclip_sdk.checkpoints import load, resolve
from emoclip_sdk.errors import HubError


def says(error, *parts):
    """Check an error's message, and that it is a HubError."""
    assert isinstance(error.value, HubError)
    text = str(error.value)
    for part in parts:
        assert part in text, f"{part!r} not in: {text}"


def test_a_repository_loads_bit_by_bit(repo, hub, model):
    config, loaded, prompts = load("org/tiny")[:3]
    for name, tensor in model.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor), name
    assert config.info["name"] == "tiny"
    assert prompts is not None
    assert prompts.read_text() == "a: b\n"
    assert not any("training.log" in request for request in hub.requests if "resolve" in request)


def test_revision(repo):
    repo.revisions["v2"] = "d" * 40
    assert resolve("org/tiny", revision="v2").name == "d" * 40
    assert resolve("org/tiny", revision="d" * 40).name == "d" * 40
    with pytest.raises(HubError) as error:
        resolve("org/tiny", revision="v3")
    says(error, "'org/tiny' at revision 'v3'", "no such revision", "/org/tiny lists branches")


def test_private_repository(repo):
    repo.private = True
    assert resolve("org/tiny", token="hf_right").is_dir()


def test_missing_file(repo):
    del repo.files["model.safetensors"]
    with pytest.raises(HubError) as error:
        resolve("org/tiny")
    says(error, "'org/tiny'", "no file model.safetensors", "emoclip convert")


def test_server_down_but_in_the_cache(repo, hub):
    first = resolve("org/tiny")
    hub.shutdown()
    hub.server_close()
    assert resolve("org/tiny") == first


def test_local_files_only(repo, hub, tmp_path):
    with pytest.raises(HubError) as error:
        resolve("org/tiny", local_files_only=True)
    says(error, "local_files_only", "Load it once")
    assert hub.requests == []
    folder = resolve("org/tiny", cache_dir=tmp_path / "mine")
    assert tmp_path / "mine" in folder.parents
    hub.requests.clear()
    assert resolve("org/tiny", cache_dir=tmp_path / "mine", local_files_only=True) == folder
    assert hub.requests == []


def test_wrong_bytes_are_noticed_and_not_kept(repo, hub):
    hub.broken_bytes = True
    with pytest.raises(HubError) as error:
        resolve("org/tiny")
    says(error, "broken", "checksum", "removed from the cache")
    hub.broken_bytes = False
    load("org/tiny")


def test_broken_file_on_the_hub(repo):
    repo.files["model.safetensors"] = repo.files["model.safetensors"][:-100]
    with pytest.raises(HubError) as error:
        resolve("org/tiny")
    says(error, "'org/tiny'", "broken")


def test_hf_endpoint_is_honored(repo, hub, tmp_path):
    code = "from emoclip_sdk.checkpoints import resolve; print(resolve('org/tiny'))"
    environment = {**os.environ, "HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "home")}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert str(tmp_path / "home") in done.stdout
