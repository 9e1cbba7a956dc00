"""Code of the documentation runs, page by page, in a folder that holds what the pages speak of.

A block that can't run here has a comment before it, ``<!-- no-run: reason -->``. Of its commands
the names and options are checked all the same. A block of ``text`` after one that runs is what it
prints; a command may fail where that is its error.
"""

from __future__ import annotations

import re
import shlex
import shutil
import sys
from itertools import pairwise

import pytest
import typer

from emoclip_sdk import EmoCLIP, EmoCLIPError
from emoclip_sdk.cli import main

from .pages import PAGES, ROOT, Block, blocks, commands, glued_lists, prints, runs

PROJECT = (ROOT / "pyproject.toml").read_text("utf-8")
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
MINE = """stage smile:
  - A wide closed-lipped smile is held still while the eyes stay even.
  - The lip corners rise and stay, and the lids do not narrow.
  - The teeth show in a fixed smile, and the brows rest.
"""
LONG = tuple(
    f"docs/{page}.md"
    for page in (
        *("actions", "compare", "explain", "faq", "index", "interviews", "people", "progress"),
        *("prompts", "results", "study", "time"),
    )
)
"""Pages whose code takes long: .ci/run runs it with the documentation."""
CLIPS = ("clip", "interview", "new", "a", "b", "c", "clips/d", "videos/e")


@pytest.fixture
def folder(tmp_path, monkeypatch, embedded_model):
    """Where a page runs; all of its code shares one network."""
    for name in CLIPS:
        target = tmp_path / f"{name}.mp4"
        target.parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / "examples/portrait.mp4", target)
    shutil.copy(ROOT / "examples/expressions.mp4", tmp_path)
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    (tmp_path / "interview.rttm").write_text(
        "SPEAKER interview 1 0.5 0.75 <NA> <NA> P01 <NA> <NA>\n"
    )
    (tmp_path / "broken.mp4").write_bytes(b"no video at all")
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "mine.yaml").write_text(MINE)
    (tmp_path / "ideas.yaml").write_text("happiness: The eyes narrow and the cheeks lift.\n")
    (tmp_path / "mine.csv").write_text("path,label\nclip.mp4,happiness\nexpressions.mp4,surprise\n")
    original = EmoCLIP.from_pretrained.__func__

    def shared(cls, name=None, **options):
        if name in (None, "emoclip-mini") and not options:
            return embedded_model.with_prompts()
        return original(cls, name, **options)

    monkeypatch.setattr(EmoCLIP, "from_pretrained", classmethod(shared))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.slow) if n in LONG else n for n in NAMES]
)
def test_code_of_a_page_runs(name, folder, monkeypatch, capsys):
    names = {"__name__": "__main__"}
    page = [block for block in blocks(ROOT / name) if runs(block)]
    if any("model" in block.code for block in page if block.language == "python"):
        names["model"] = EmoCLIP.from_pretrained()
        names["video"] = "clip.mp4"
    for block in page:
        where = f"{name}, line {block.line}"
        if block.language == "python":
            capsys.readouterr()
            exec(compile(block.code, where, "exec"), names)
            printed = capsys.readouterr().out
            assert not block.output or prints(block.output, printed), f"{where}: {printed}"
            continue
        printed = [_run(c, block, where, monkeypatch, capsys) for c in commands(block)]
        assert not block.output or prints(block.output, " ".join(printed)), f"{where}: {printed}"


def _run(command: str, block: Block, where: str, monkeypatch, capsys) -> str:
    """Return what a command prints; where it fails, the page has to show its error."""
    words = shlex.split(command, comments=True)
    if words[:2] == ["pip", "install"]:
        _check_extras(command, where)
        return ""
    assert words[0] == "emoclip", f"{where}: {words[0]} can't run here; say no-run"
    if block.note == "offline":
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr(sys, "argv", words)
    capsys.readouterr()
    with pytest.raises(SystemExit) as end:
        main()
    printed = "".join(capsys.readouterr())
    assert not end.value.code or prints(block.output, printed), f"{where}: {command}: {printed}"
    return printed


def test_the_readme_shows_what_its_first_command_prints(folder, monkeypatch, capsys):
    text = (ROOT / "README.md").read_text("utf-8")
    first = next(b for b in blocks(ROOT / "README.md") if b.note == "setup:start")
    _, _, command = commands(first)[0].partition("&& ")
    shown = re.search(r"<!-- setup:end -->\s*```text\n(.*?)```", text, re.S)
    assert shown, "no block of text after setup:end"
    printed = _run(command, first, "README.md", monkeypatch, capsys)
    assert prints(shown[1], printed), printed


def test_an_output_that_is_not_printed_is_noticed():
    table = "clip.mp4 happiness 0.99\n─────\nwrote a.csv"
    assert prints("CLIP.mp4   happiness 0.98 ── wrote", table)
    assert not prints("clip.mp4 happiness 0.90", table)
    assert not prints("clip.mp4 anger 0.99", table)
    assert not prints("wrote b.csv", table)


def test_prose_is_wrapped():
    """At 100 columns; tables, code and addresses can't be."""
    long = []
    for page in [*PAGES, ROOT / "CHANGELOG.md", ROOT / "SECURITY.md"]:
        code = False
        for number, line in enumerate(page.read_text("utf-8").splitlines(), 1):
            code ^= line.lstrip().startswith("```")
            if len(line) > 100 and not code and not re.match(r"\s*(\||\[|!\[|<)|\S+$", line):
                long.append(f"{page.relative_to(ROOT)}:{number}")
    assert not long


def test_lists_are_lists_on_the_site_too():
    glued = [f"{p.relative_to(ROOT)}:{n}" for p in PAGES for n in glued_lists(p.read_text("utf-8"))]
    assert not glued


def test_a_list_that_the_site_would_glue_is_noticed():
    assert glued_lists("Text:\n- one\n- two\n") == [2]
    assert glued_lists("Text:\n\n- one\n  goes on\n- two\n") == []
    assert glued_lists("- one\n  - inside\n") == [2]
    assert glued_lists("- one\n    - inside\n        - deeper\n") == []
    assert glued_lists("1. one\n\n   more of it\n") == [3]


@pytest.mark.parametrize("name", NAMES)
def test_commands_and_options_exist(name):
    for block in blocks(ROOT / name):
        if block.language != "bash":
            continue
        for line in commands(block):
            where = f"{name}, line {block.line}"
            _check_extras(line, where)
            for part in re.split(r"&&|\|\||;|\bdo\b", line):
                match = re.search(r"(?:^|\s)(emoclip(?:-train)?)\s+(.*)", part)
                if match:
                    _check_options(match[1], shlex.split(match[2], comments=True), where)


def _check_options(program: str, words: list[str], where: str) -> None:
    from emoclip_sdk.cli.application import app
    from emoclip_sdk.training.cli.application import app as training

    command = typer.main.get_command(app if program == "emoclip" else training)
    while hasattr(command, "commands"):
        assert words and words[0] in command.commands, f"{where}: no {program} {words[:1]}"
        command, words = command.commands[words[0]], words[1:]
    if program == "emoclip-train":
        _check_settings(str(command.name), words, where)
    known = {"-h", "--help"}
    known.update(o for p in command.params for o in (*p.opts, *p.secondary_opts))
    for word in words:
        if re.match(r"--?[a-z]", word):
            assert word.partition("=")[0] in known, f"{where}: {command.name} has no {word}"


def _check_settings(command: str, words: list[str], where: str) -> None:
    """Check that the recipe has the keys that ``--set`` changes."""
    from emoclip_sdk.training.engine.recipe import load_recipe

    given = list(pairwise(words))
    name = dict(given).get("--recipe", "mini" if command == "contrastive" else command)
    changes = [value for option, value in given if option == "--set"]
    if changes and not name.endswith(".yaml"):
        try:
            load_recipe(name, changes)
        except EmoCLIPError as error:
            pytest.fail(f"{where}: {error}")


def _check_extras(line: str, where: str) -> None:
    for extra in re.findall(r"(?:emoclip_sdk|\.)\[(\w+)\]", line):
        known = re.search(rf"^{extra} = \[", PROJECT, re.M)  # Python 3.10 has no tomllib
        assert known, f"{where}: no extra {extra}"
