"""Loading from and pushing to the Hub, through huggingface_hub's own code and a local server."""

from __future__ import annotations

import os
import subprocess
import sys
import traceback

import pytest
import torch

from emoclip_sdk.checkpoints import load, push_to_hub, resolve
from emoclip_sdk.errors import CheckpointError, HubError


def says(error, *parts):
    """Check an error's message, and that it is a HubError."""
    assert isinstance(error.value, HubError)
    text = str(error.value)
    for part in parts:
        assert part in text, f"{part!r} not in: {text}"


def test_a_repository_loads_bit_by_bit(repo, hub, model):
    config, loaded, prompts = load("org/tiny")
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


@pytest.mark.parametrize(
    ("token", "parts"),
    [
        (None, ["no such repository", "if it is private", "hf auth login"]),
        ("hf_wrong", ["refused the token", "401", "hf auth login", "token="]),
    ],
)
def test_private_repository_without_the_right_token(repo, token, parts):
    repo.private = True
    with pytest.raises(HubError) as error:
        resolve("org/tiny", token=token)
    says(error, "'org/tiny'", *parts)


def test_token_true_without_a_stored_one(repo):
    with pytest.raises(HubError) as error:
        resolve("org/tiny", token=True)
    says(error, "no token is stored", "hf auth login")


def test_gated_repository(repo):
    repo.gated = True
    with pytest.raises(HubError) as error:
        resolve("org/tiny", token="hf_right")
    says(error, "gated", "Accept the terms at", "/org/tiny")


@pytest.mark.parametrize("token", [None, "hf_right"])
def test_missing_repository(hub, token):
    with pytest.raises(HubError) as error:
        resolve("org/missing", token=token)
    says(error, "'org/missing'", "no such repository", "Check the name")


def test_missing_file(repo):
    del repo.files["model.safetensors"]
    with pytest.raises(HubError) as error:
        resolve("org/tiny")
    says(error, "'org/tiny'", "no file model.safetensors", "emoclip convert")


def test_impossible_name(hub):
    with pytest.raises(HubError) as error:
        resolve("org/bad..name")
    says(error, "org/name")


@pytest.mark.parametrize(("status", "part"), [(500, "status 500"), (403, "no permission")])
def test_server_errors(repo, hub, status, part):
    hub.failing_status = status
    with pytest.raises(HubError) as error:
        resolve("org/tiny")
    says(error, part)


def test_server_down(repo, hub):
    hub.shutdown()
    hub.server_close()
    with pytest.raises(HubError) as error:
        resolve("org/tiny")
    says(error, hub.url, "can't be reached", "embedded model")


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


def test_offline_by_environment(repo, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(HubError) as error:
        resolve("org/tiny")
    says(error, "HF_HUB_OFFLINE")


def test_connection_closes_half_way(repo, hub):
    hub.cut_short = True
    with pytest.raises(HubError) as error:
        resolve("org/tiny")
    says(error, "broke off", "Try again")
    hub.cut_short = False
    load("org/tiny")


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


def test_unwritable_cache(repo, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(HubError) as error:
        resolve("org/tiny", cache_dir=tmp_path / "file")
    says(error, "'org/tiny'")


def test_hf_endpoint_is_honored(repo, hub, tmp_path):
    code = "from emoclip_sdk.checkpoints import resolve; print(resolve('org/tiny'))"
    environment = {**os.environ, "HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "home")}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert str(tmp_path / "home") in done.stdout


def test_push_and_load_again(hub, folder, model):
    url = push_to_hub(folder, "me/new", token="hf_right", private=True)
    assert url == f"{hub.url}/me/new/commit/{'c' * 40}"
    assert hub.repos["me/new"].private
    assert set(hub.repos["me/new"].files) == {
        "config.json",
        "model.safetensors",
        "README.md",
        "prompts.yaml",
    }
    card = hub.repos["me/new"].files["README.md"].decode()
    assert 'EmoCLIP.from_pretrained("me/new")' in card
    loaded = load("me/new", token="hf_right").model
    for name, tensor in model.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor), name


def test_push_to_an_existing_repository_on_a_branch(hub, folder):
    push_to_hub(folder, "me/new", token="hf_right")
    push_to_hub(folder, "me/new", token="hf_right", revision="v2")
    assert "v2" in hub.repos["me/new"].revisions
    assert any(request.endswith("/commit/v2") for request in hub.requests)


def test_push_as_a_pull_request(hub, folder):
    push_to_hub(folder, "me/new", token="hf_right")
    url = push_to_hub(folder, "me/new", token="hf_right", create_pr=True)
    assert url == f"{hub.url}/me/new/discussions/1"


def test_push_with_a_wrong_token(hub, folder):
    with pytest.raises(HubError) as error:
        push_to_hub(folder, "me/new", token="hf_wrong")
    says(error, "refused the token", "hf auth login")


def test_push_offline(hub, folder):
    hub.shutdown()
    hub.server_close()
    with pytest.raises(HubError) as error:
        push_to_hub(folder, "me/new", token="hf_right")
    says(error, "can't be reached")


def test_a_broken_folder_is_not_pushed(hub, folder):
    (folder / "model.safetensors").write_bytes(b"nonsense")
    with pytest.raises(CheckpointError, match=r"model\.safetensors"):
        push_to_hub(folder, "me/new", token="hf_right")
    assert hub.requests == []


def test_an_error_is_one_readable_sentence(hub):
    with pytest.raises(HubError) as error:
        resolve("org/missing")
    assert "\n" not in "".join(traceback.format_exception_only(error.value)).strip()
