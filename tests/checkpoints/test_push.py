"""Uploading a checkpoint folder."""

from __future__ import annotations

import pytest
import torch

from emoclip_sdk.checkpoints import load, push_to_hub
from emoclip_sdk.errors import CheckpointError, HubError


def says(error, *parts):
    """Check an error's message, and that it is a HubError."""
    assert isinstance(error.value, HubError)
    text = str(error.value)
    for part in parts:
        assert part in text, f"{part!r} not in: {text}"


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
