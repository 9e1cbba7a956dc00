"""Prompt files: our format, plain mappings, and what is refused with its line."""

import contextlib

import pytest

from emoclip_sdk.errors import PromptError
from emoclip_sdk.prompts import PromptBank

PLAIN = "anger: Brows pulled down.\nhappiness: [A broad smile., 'Cheeks raised: crinkled eyes.']\n"


def write(folder, text, name="mine.yaml"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_plain_file(tmp_path):
    bank = PromptBank.from_yaml(write(tmp_path, PLAIN))
    assert bank.names() == ["anger", "happiness"]
    assert bank.descriptions("anger") == ("Brows pulled down.",)
    assert bank.descriptions("happiness") == ("A broad smile.", "Cheeks raised: crinkled eyes.")
    assert bank.compounds == {}
    assert bank.provenance == [{"file": "mine.yaml"}]
    assert bank.templates == PromptBank.default().templates


def test_plain_file_over_the_default(bank, tmp_path):
    path = write(tmp_path, "Angry: Mine.\nhappiness: Mine too.\nNo: Third.\n")
    mine = PromptBank.from_yaml(path, base=bank)
    assert mine.descriptions("angry") == ("Mine.",)
    assert mine.descriptions("anger") == bank.descriptions("anger")
    assert mine.descriptions("happy") == ("Mine too.",)
    assert mine.descriptions("no") == ("Third.",)
    assert len(mine.compounds) == 32
    assert mine.hash != bank.hash == PromptBank.default().hash


def test_a_compound_finds_parts_in_another_file(tmp_path):
    compounds = write(tmp_path, "compounds:\n  mix: [anger, happiness]\n", "compounds.yaml")
    bank = PromptBank.from_yaml(compounds, write(tmp_path, PLAIN))
    assert bank.compounds["mix"] == (("anger", 1.0), ("happiness", 1.0))


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", None, "the file is empty"),
        ("{}", None, "holds no labels"),
        ("- anger\n- fear\n", 1, "must be a mapping"),
        ("just words\n", 1, "must be a mapping"),
        ("a: [unclosed\n", 2, "not valid YAML"),
        ("a: Look.\na: Stare.\n", 2, "duplicate key 'a'"),
        ("half asleep: Look.\nHalf-Asleep: Stare.\n", 2, "duplicate key 'Half-Asleep'"),
        ("a: Look.\nb: ''\n", 2, "the description of 'b' is empty"),
        ("a: Look.\nb:\n", 2, "the description of 'b' is empty"),
        ("a: Look.\nb: []\n", 2, "the description of 'b' is empty"),
        ("a:\n  - Look.\n  -\n", 3, "is empty"),
        ("a:\n  - Look.\n  - {b: c}\n", 3, "must be text"),
        ("emotions: [a, b]\n", 1, "'emotions' must be a mapping"),
        ("emotions:\n  a: Look.\nemotion: {}\n", 3, "unknown section 'emotion'"),
        ("emotions:\n  a:\n    description: Look.\n", 3, "unknown key 'description'"),
        ("emotions:\n  a:\n    aliases: [b]\n", 3, "'a' has no 'descriptions'"),
        ("emotions:\n  a:\n    descriptions: [Look.]\n    aliases: b\n", 4, "must be a list"),
        (
            "emotions:\n"
            + "  a: {descriptions: [Look.], aliases: [x]}\n"
            + "  b: {descriptions: [Stare.], aliases: [X]}\n",
            3,
            "duplicate name or alias 'X' of 'b'; it already belongs to 'a'",
        ),
        (
            "emotions:\n  a: {descriptions: [Look.], aliases: [x, X]}\n",
            2,
            "lists an alias twice",
        ),
        ("emotions:\n  a: Look.\ncompounds:\n  c: [a, zebra]\n", 4, "unknown part 'zebra'"),
        ("emotions:\n  a: Look.\ncompounds:\n  c: {parts: {a: heavy}}\n", 4, "positive number"),
        ("emotions:\n  a: Look.\ncompounds:\n  c: []\n", 4, "are empty"),
        ("templates: [no place]\n", 1, "has no {label}"),
    ],
)
def test_malformed_files_are_named(tmp_path, text, line, message):
    path = write(tmp_path, text)
    with pytest.raises(PromptError) as caught:
        PromptBank.from_yaml(path)
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"{path}:{line}:" if line else f"{path}:")


def test_circular_file(tmp_path):
    path = write(tmp_path, "emotions: {a: Look.}\ncompounds:\n  c: [d, a]\n  d: [c, a]\n")
    with pytest.raises(PromptError, match="c -> d -> c"):
        PromptBank.from_yaml(path)


def test_duplicates_across_files_name_both(tmp_path):
    one, two = write(tmp_path, "a: Look.\n", "one.yaml"), write(tmp_path, "a: Stare.\n", "two.yaml")
    with pytest.raises(PromptError, match=r"two\.yaml:1.*one\.yaml:1"):
        PromptBank.from_yaml(one, two)


def test_missing_and_binary_file(tmp_path):
    with pytest.raises(PromptError, match="none.yaml: can't be read"):
        PromptBank.from_yaml(tmp_path / "none.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(PromptError, match="binary.yaml"):
        PromptBank.from_yaml(tmp_path / "binary.yaml")
    with pytest.raises(PromptError, match="at least one"):
        PromptBank.from_yaml()


def test_a_file_runs_no_code(tmp_path):
    path = write(tmp_path, "a: !!python/object/apply:os.system ['touch hacked']\n")
    with contextlib.suppress(PromptError):
        assert PromptBank.from_yaml(path).descriptions("a") == ("touch hacked",)
    assert not (tmp_path / "hacked").exists()
