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
    one.add_label("zest", "A quick bright look.")
    one.add_compound("zesty surprise", ["zest", "surprise"])
    one.provenance[0]["question"] = "changed"
    assert "zest" in one and "zest" not in two and "zesty surprise" not in two.compounds
    assert two.hash == before == PromptBank.default().hash
    assert two.provenance[0]["question"] != "changed"


def test_added_label_is_found_in_any_wording(bank):
    bank.add_label("Inner zest", "A quick bright look.", aliases=["zesty"])
    assert bank.resolve("inner_ZEST") == bank.resolve("Zesty") == "Inner zest"
    assert bank.descriptions("zesty") == ("A quick bright look.",)
    assert bank.is_custom("zesty") and not bank.is_custom("anger")


def test_override_keeps_name_and_aliases(bank):
    bank.add_label("Happiness", ["One.", "Two."])
    assert "Happiness" not in bank.names()
    assert bank.descriptions("happy") == ("One.", "Two.")
    assert bank.is_custom("happiness")
    assert bank.compounds["happiness_surprise"] == (("happiness", 1.0), ("surprise", 1.0))


def test_a_name_takes_an_alias_over(bank):
    old = bank.descriptions("happiness")
    bank.add_label("joy", "Mine.")
    assert bank.resolve("joy") == "joy"
    assert bank.resolve("happy") == "happiness"
    assert bank.descriptions("happiness") == old
    assert "joy" not in bank.aliases("happiness")
    bank.add_label("bliss", "Mine too.", aliases=["glad"])
    assert bank.resolve("glad") == "bliss"


def test_an_alias_does_not_hide_an_entry(bank):
    before = bank.hash
    with pytest.raises(PromptError, match="'fear' can't be an alias of 'zest'"):
        bank.add_label("zest", "A look.", aliases=["fear"])
    assert bank.hash == before and "zest" not in bank


@pytest.mark.parametrize("name", ["", "  ", "-", 3])
def test_empty_name(bank, name):
    with pytest.raises(PromptError, match="name"):
        bank.add_label(name, "A look.")


@pytest.mark.parametrize("descriptions", ["", " ", [], ["A look.", ""], [None]])
def test_empty_description(bank, descriptions):
    with pytest.raises(PromptError, match="zest"):
        bank.add_label("zest", descriptions)


def test_compound_takes_any_wording_of_its_parts(bank):
    bank.add_compound("grim", ["Angry", "sad"])
    assert bank.compounds["grim"] == (("anger", 1.0), ("sadness", 1.0))


def test_compound_weights(bank):
    bank.add_compound("a", {"anger": 3, "fear": 1})
    bank.add_compound("b", ["anger", "fear"], weights=[3, 1])
    assert bank.compounds["a"] == bank.compounds["b"] == (("anger", 3.0), ("fear", 1.0))


@pytest.mark.parametrize(
    ("parts", "weights", "message"),
    [
        ([], None, "0 parts"),
        ("anger", None, "must be a list"),
        (["anger", "zebra"], None, "unknown part 'zebra'"),
        (["anger", "angry"], None, "'anger' is twice a part"),
        (["anger", "fear"], [1], "2 parts and 1 weights"),
        (["anger", "fear"], [1, 0], "positive number, not 0"),
        (["anger", "fear"], [1, -1], "positive number, not -1"),
        (["anger", "fear"], [1, float("nan")], "positive number"),
        ({"anger": "much"}, None, "positive number, not 'much'"),
        ({"anger": 1}, [1], "not both"),
        (["grim"], None, "can't contain itself: grim -> grim"),
    ],
)
def test_refused_compounds_leave_the_bank_alone(bank, parts, weights, message):
    before = bank.hash
    with pytest.raises(PromptError, match=re.escape(message)):
        bank.add_compound("grim", parts, weights)
    assert bank.hash == before and "grim" not in bank


def test_cycles_are_refused(bank):
    bank.add_compound("a", ["anger", "fear"])
    bank.add_compound("b", ["a", "sadness"])
    before = bank.hash
    with pytest.raises(PromptError, match="can't contain itself: a -> b -> a"):
        bank.add_compound("a", ["b", "surprise"])
    with pytest.raises(PromptError, match="can't contain itself"):
        bank.add_compound("anger", ["anger", "fear"])
    assert bank.hash == before


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
        lambda: bank.add_label("zest", "A look."),
        lambda: bank.add_label("zest", "Another look."),
        lambda: bank.add_label("zest", "Another look.", aliases=["zesty"]),
        lambda: bank.add_compound("grim", ["anger", "zest"]),
        lambda: bank.add_compound("grim", ["anger", "zest"], [2, 1]),
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
    other.add_compound("grim", ["anger", "happiness"])
    both = bank.merged(other)
    assert both.descriptions("angry") == ("Brows pulled down.",)
    assert both.descriptions("fear") == bank.descriptions("fear")
    assert "grim" in both and "grim" not in bank
    assert bank.merged(bank).hash == bank.hash
