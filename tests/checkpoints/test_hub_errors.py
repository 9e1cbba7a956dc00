"""What the Hub refuses is one sentence that says what to do."""

from __future__ import annotations

import traceback

import pytest

from emoclip_sdk.checkpoints import load, resolve
from emoclip_sdk.errors import HubError


def says(error, *parts):
    """Check an error's message, and that it is a HubError."""
    assert isinstance(error.value, HubError)
    text = str(error.value)
    for part in parts:
        assert part in text, f"{part!r} not in: {text}"


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


def test_unwritable_cache(repo, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(HubError) as error:
        resolve("org/tiny", cache_dir=tmp_path / "file")
    says(error, "'org/tiny'")


def test_an_error_is_one_readable_sentence(hub):
    with pytest.raises(HubError) as error:
        resolve("org/missing")
    assert "\n" not in "".join(traceback.format_exception_only(error.value)).strip()
