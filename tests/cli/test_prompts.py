"""``emoclip prompts`` as a user meets it."""

from __future__ import annotations

import json

from emoclip_sdk.prompts import PromptBank

# Classify


def test_list(emoclip):
    code, out, _ = emoclip("prompts", "list")
    assert code == 0 and "happiness" in out and "boredom" in out
    _, out, _ = emoclip("prompts", "list", "--json")
    found = json.loads(out)
    assert "happy" in found["labels"]["happiness"]["aliases"]
    assert found["compounds"]["happiness_surprise"]["parts"] == {"happiness": 1.0, "surprise": 1.0}


def test_names_are_not_broken_on_a_narrow_terminal(emoclip, monkeypatch):
    monkeypatch.setattr("emoclip_sdk.cli.output._PIPE_WIDTH", 80)
    _, out, _ = emoclip("prompts", "list")
    first = {line.split("  ")[0].rstrip() for line in out.splitlines()}
    assert {*PromptBank.default().names(), *PromptBank.default().compounds} <= first


def test_show(emoclip):
    code, out, err = emoclip("prompts", "show", "Happy")
    assert code == 0 and err == "" and out.startswith("happiness (bank)")
    _, out, err = emoclip("prompts", "show", "hapiness", "--json")
    assert json.loads(out)["kind"] == "template" and "Did you mean happiness" in err
    assert emoclip("prompts", "show", "")[0] == 2


def test_check(emoclip, tmp_path):
    code, out, err = emoclip("prompts", "check")
    assert code == 0 and out == "" and "no problems" in err
    file = tmp_path / "mine.yaml"
    file.write_text(f"joy: A happy smile.\nlong: {'very ' * 80}wide eyes.\n")
    code, out, _ = emoclip("prompts", "check", file)
    assert code == 1 and "names an emotion" in out and "82 tokens" not in out
    assert "tokens, the text tower reads 77" in out
    assert emoclip("prompts", "check", tmp_path / "missing.yaml")[0] == 2
    file.write_text("joy: [\n")
    code, out, err = emoclip("prompts", "check", file)
    assert code == 1 and out == "" and "mine.yaml" in err
