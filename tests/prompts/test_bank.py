"""The bank: adding, overriding, saving, reading other people's files."""

import re

import pytest

from emoclip_sdk.errors import PromptError
from emoclip_sdk.prompts import PromptBank

PLAIN = "anger: Brows pulled down.\nhappiness: [A broad smile., 'Cheeks raised: crinkled eyes.']\n"


def write(folder, text, name="mine.yaml"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_default_banks_are_independent():
    one, two = PromptBank.default(), PromptBank.default()
    before = two.hash
    one.add_label("zibble", "A quick bright look.")
    one.add_compound("zesty surprise", ["zibble", "surprise"])
    one.provenance[0]["question"] = "changed"
    assert "zibble" in one and "zibble" not in two and "zesty surprise" not in two.compounds
    assert two.hash == before == PromptBank.default().hash
    assert two.provenance[0]["question"] != "changed"


def test_a_compound_has_no_descriptions(bank):
    with pytest.raises(PromptError, match="compound of anger, disgust"):
        bank.descriptions("anger_disgust")
    with pytest.raises(PromptError, match="does not know 'zebra'"):
        bank.descriptions("zebra")


def test_hash_is_stable_and_short(bank):
    assert re.fullmatch("[0-9a-f]{12}", bank.hash)
    assert bank.hash == PromptBank.default().hash == bank.copy().hash


def test_hash_sees_every_change(bank):
    seen = {bank.hash}
    for change in (
        lambda: bank.add_label("zibble", "A look."),
        lambda: bank.add_label("zibble", "Another look."),
        lambda: bank.add_label("zibble", "Another look.", aliases=["zesty"]),
        lambda: bank.add_compound("quorlish", ["anger", "zibble"]),
        lambda: bank.add_compound("quorlish", ["anger", "zibble"], [2, 1]),
    ):
        change()
        assert bank.hash not in seen
        seen.add(bank.hash)


def test_hash_sees_templates_and_not_the_order_of_entries(tmp_path):
    one = PromptBank.from_yaml(write(tmp_path, "a: Look.\nb: Stare.\n"))
    two = PromptBank.from_yaml(write(tmp_path, "b: Stare.\na: Look.\n"))
    three = PromptBank.from_yaml(
        write(tmp_path, "emotions: {a: Look., b: Stare.}\ntemplates: ['just {label}']\n")
    )
    assert one.hash == two.hash != three.hash


def test_save_and_load(bank, tmp_path):
    bank.add_label("no", ["Yes: a # strange *one*.", "Ünïcode „quoted“"], aliases=["null", "1.0"])
    bank.add_compound("odd", {"no": 0.1, "anger_disgust": 2.5}, aliases=["very odd"])
    path = tmp_path / "prompts.yaml"
    bank.save(path)
    loaded = PromptBank.from_yaml(path)
    assert loaded.hash == bank.hash
    assert loaded.version == bank.version and loaded.provenance == bank.provenance
    assert loaded.names() == bank.names() and loaded.compounds == bank.compounds
    assert loaded.templates == bank.templates
    assert loaded.neutral_sentences == bank.neutral_sentences
    assert loaded.to_yaml() == bank.to_yaml()
    assert loaded.resolve("null") == "no"


def test_save_and_load_of_a_plain_bank(tmp_path):
    bank = PromptBank.from_yaml(write(tmp_path, PLAIN))
    bank.save(tmp_path / "saved.yaml")
    assert PromptBank.from_yaml(tmp_path / "saved.yaml").hash == bank.hash


def test_merged(bank, tmp_path):
    other = PromptBank.from_yaml(write(tmp_path, PLAIN))
    other.add_compound("quorlish", ["anger", "happiness"])
    both = bank.merged(other)
    assert both.descriptions("angry") == ("Brows pulled down.",)
    assert both.descriptions("fear") == bank.descriptions("fear")
    assert "quorlish" in both and "quorlish" not in bank
    assert bank.merged(bank).hash == bank.hash
