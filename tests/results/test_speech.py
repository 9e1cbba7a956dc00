"""Who speaks: files as other tools write them, and shares by hand."""

from __future__ import annotations

import math

import pytest

from emoclip_sdk import Speech, Timeline, TimelineRow, Utterance, read_speech
from emoclip_sdk.errors import EmoCLIPError

SAID = (
    Utterance(0.5, 1.5, "A", "how are you"),
    Utterance(1.0, 2.0, "B", "well"),
    Utterance(4.25, 4.5, "B", "bye"),
)
RTTM = "".join(
    f"SPEAKER talk 1 {start} {length} <NA> <NA> {who} <NA> <NA>\n"
    for start, length, who in (("4.25", "0.250", "B"), ("0.5", "1.0", "A"), ("1.000", "1", "B"))
)


def spoken(utterances):
    return [(each.start, each.end, each.speaker, each.text) for each in utterances]


def test_shares_of_windows():
    speech = Speech(SAID)
    # 0.5 to 2 s is 1.5 s of 2, however many talk at once.
    assert vars(speech.window(0, 2)) == {
        "speaking": 0.75,
        "speaker": "A",
        "text": "how are you well",
    }
    assert (speech.window(1.25, 2).speaking, speech.window(1.25, 2).speaker) == (1.0, "B")
    assert vars(speech.window(2, 4.25)) == {"speaking": 0.0, "speaker": None, "text": None}
    assert speech.window(4, 5).speaking == 0.25
    # A picture takes no time.
    assert speech.window(4.3, 4.3).text == "bye" and speech.window(4.5, 4.5).speaking == 0.0
    # Of the face of B, what A says doesn't count; whose face track 1 is, nobody knows.
    known = Speech(SAID, {0: "B"})
    assert known.window(0, 2, track=0).speaking == 0.5
    assert known.window(0, 2, track=1) == known.window(0, 2) == speech.window(0, 2)
    # A long utterance that began before many short ones is found, too.
    long = Speech((Utterance(0, 100, "A"), *(Utterance(i, i + 0.5, "B") for i in range(1, 90))))
    assert long.window(95, 96).speaking == 1.0 and long.window(95, 96).speaker == "A"
    assert Speech.from_dict(known.to_dict()) == known


def test_rttm(tmp_path):
    path = tmp_path / "talk.rttm"
    path.write_text(";; made by hand\nSPKR-INFO talk 1 <NA> <NA> <NA> adult A <NA>\n" + RTTM)
    expected = [(each.start, each.end, each.speaker, None) for each in SAID]
    assert spoken(read_speech(path).utterances) == expected
    assert spoken(read_speech(path, ["A"]).utterances) == expected[:1]
    assert read_speech(path, {0: "B"}).window(0, 2, 0).speaking == 0.5
    # Several recordings in one file, as pyannote's databases have it.
    path.write_text(RTTM + RTTM.replace("talk", "other").replace("4.25", "7.25"))
    assert read_speech(path, video="videos/other.mp4").utterances[-1].start == 7.25
    with pytest.raises(EmoCLIPError, match="several recordings .talk, other.*called 'third'"):
        read_speech(path, video="third.mp4")
    path.write_text("")
    assert read_speech(path, ["A"]) == Speech(()), "nobody speaks"


@pytest.mark.parametrize("ending", ["srt", "vtt"])
def test_subtitles(tmp_path, ending):
    """As WhisperX writes them; times and names by webvtt-py, the library that reads both."""
    webvtt = pytest.importorskip("webvtt")
    document = webvtt.WebVTT()
    for each in SAID:
        times = [f"00:00:{t:06.3f}" for t in (each.start, each.end)]
        document.captions.append(webvtt.Caption(*times, f"[{each.speaker}]: {each.text}"))
    path = tmp_path / f"a.{ending}"
    document.save(str(path)) if ending == "vtt" else document.save_as_srt(str(path))
    assert read_speech(path).utterances == SAID
    again = webvtt.read(str(path)) if ending == "vtt" else webvtt.from_srt(str(path))
    assert [(c.start_in_seconds, c.text) for c in again][2] == (4, "[B]: bye")
    path.write_text("\ufeff" + path.read_text().replace("you", "<i>y\u00f6u</i>"), "utf-8")
    assert read_speech(path).utterances[0].text == "how are y\u00f6u"
    path.write_text(path.read_text("utf-8-sig"), "utf-16")
    assert read_speech(path).utterances[0].text == "how are y\u00f6u"
    path.write_bytes(path.read_text("utf-16").encode("latin-1"))
    with pytest.raises(EmoCLIPError, match="no text in UTF-8"):
        read_speech(path)


def test_voices_of_webvtt(tmp_path):
    path = tmp_path / "a.vtt"
    path.write_text(
        "WEBVTT\n\nNOTE by hand\n\nfirst\n00:01.000 --> 00:02.500 align:start\n"
        "<v.loud Ann &amp; Bo>Hello <c.x>you</c>\n&amp; me</v>\n\n"
        "01:00:03.000 --> 01:00:04.000\nno name\n"
    )
    assert spoken(read_speech(path).utterances) == [
        (1.0, 2.5, "Ann & Bo", "Hello you & me"),
        (3603.0, 3604.0, None, "no name"),
    ]
    assert read_speech(path).window(3603, 3605).speaker is None


def test_a_transcript_of_elan(tmp_path):
    """As pympi writes it, the library that reads and writes ELAN."""
    pympi = pytest.importorskip("pympi")
    document = pympi.Elan.Eaf()
    document.remove_tier("default")
    for each in SAID:
        if each.speaker not in document.get_tier_names():
            document.add_tier(each.speaker)
        document.add_annotation(
            each.speaker, round(each.start * 1000), round(each.end * 1000), each.text
        )
    for tier in ("gestures", "C"):
        document.add_tier(tier)
    document.add_annotation("gestures", 0, 9000, "nods")
    path = tmp_path / "a.eaf"
    pympi.Elan.to_eaf(str(path), document)
    assert read_speech(path, ["A", "B"]).utterances == SAID
    (only,) = read_speech(path, ["A"]).utterances
    assert [
        (start / 1000, end / 1000, text)
        for start, end, text in document.get_annotation_data_for_tier(only.speaker)
    ] == [(0.5, 1.5, "how are you")]
    assert read_speech(path, {0: "A", 1: "C"}).window(0, 5, 1).speaking == 0.0
    with pytest.raises(EmoCLIPError, match="which of its tiers are speech.*A, B, gestures"):
        read_speech(path)
    with pytest.raises(EmoCLIPError, match="no tier 'X'"):
        read_speech(path, ["X"])


@pytest.mark.parametrize(
    "name, text, complaint",
    [
        ("a.rttm", "SPEAKER talk 1 0.5\n", "line 1: a line of RTTM is"),
        ("a.rttm", RTTM + "SPEAKER talk 1 0.5 -1 <NA> <NA> A <NA>\n", "line 4"),
        ("a.rttm", "start,end\n1,2\n", "line 1: is no line of RTTM"),
        ("a.srt", "hello\n", "holds no cues"),
        (
            "a.srt",
            "1\n00:00:01,000 --> 00:00:02,000\nx\n\n2\n00:xx --> 00:00:05\ny\n",
            "1 of 2 cues",
        ),
        ("a.vtt", "WEBVTT\n", "holds no cues"),
        ("a.vtt", "WEBVTT\n\n00:03.000 --> 00:02.000\nx\n", "can't be read|ends before"),
        ("a.eaf", "<ANNOTATION_DOCUMENT/>", "no annotation with a time"),
        ("a.eaf", "<ANNOT", "no document of ELAN"),
        ("a.txt", "", "speech is read from .rttm, .srt, .vtt, .eaf"),
    ],
)
def test_unusable(tmp_path, name, text, complaint):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(EmoCLIPError, match=complaint) as error:
        read_speech(path)
    assert str(path) in str(error.value)


def test_missing_files_and_speakers(tmp_path):
    with pytest.raises(EmoCLIPError, match="can't be read"):
        read_speech(tmp_path / "a.srt")
    (tmp_path / "talk.rttm").write_text(RTTM)
    with pytest.raises(EmoCLIPError, match="no speaker 'C'; there are: A, B"):
        read_speech(tmp_path / "talk.rttm", ["C"])
    with pytest.raises(EmoCLIPError, match=r"a list of names, such as \['A'\]"):
        read_speech(tmp_path / "talk.rttm", "A")


# Timelines

JOY = [0.9, 0.8, 0.1, 0.3, 0.9]
NAN = math.nan


@pytest.fixture
def timeline():
    """One face, a second a row: somebody speaks in the rows 0, 1 and 4."""
    rows = [
        TimelineRow(
            0, i, i + 1, 7, {"joy": joy, "fear": 1 - joy}, {"joy": joy, "fear": 0.0}, 0.9, False,
            actions={"jawOpen": joy},
        )
        for i, joy in enumerate(JOY)
    ]  # fmt: skip
    rows.append(TimelineRow(None, 5, 6, 0, {"joy": NAN, "fear": NAN}, {"joy": NAN, "fear": NAN}))
    return Timeline("talk.mp4", ("joy", "fear"), 1.0, 1.0, tuple(rows))


def test_rows_say_who_speaks(timeline, tmp_path):
    (tmp_path / "x.rttm").write_text(RTTM)
    known = timeline.with_speech(tmp_path / "x.rttm")
    assert [row.speaking for row in known] == [0.5, 1.0, 0.0, 0.0, 0.25, 0.0]
    assert [row.speaker for row in known] == ["A", "B", None, None, "B", None]
    record = timeline.with_speech(SAID).to_records()[0]
    assert (record["speaking"], record["speaker"], record["text"]) == (0.5, "A", "how are you")
    assert "speaking" not in timeline.to_records()[0], "only where it is known"
    known.save(tmp_path / "a.json")
    again = Timeline.load(tmp_path / "a.json")
    assert again.speech == known.speech and again[0].speaker == "A"
    assert [row.speaking for row in again] == [row.speaking for row in known]
    two = known.resample(2.0)
    assert [row.speaking for row in two if row.track == 0] == [0.75, 0.0, 0.125]


def test_summaries_of_silence(timeline):
    silent = timeline.with_speech(SAID).silent()
    assert [row.reason for row in silent][:5] == ["speech"] * 2 + [None] * 2 + ["speech"]
    assert silent[0].label is None and math.isnan(silent[0].actions["jawOpen"])
    (face,) = silent.summary()
    assert (face.start, face.end, face.seconds) == (2.0, 4.0, 2.0)
    assert face.scores["joy"] == pytest.approx((0.1 + 0.3) / 2) and face.shares["joy"] == 0.0
    assert [e.label for e in silent.episodes()] == ["fear"]
    # Half of what is left of this trial is silent; the other one is speech from end to end.
    trial, other = silent.events([(1.5, 2.5), (0.0, 1.0)])
    assert (trial.seconds, trial.means["joy"], trial.speaking) == (0.5, 0.1, 0.5)
    assert (other.track, other.reason, other.speaking) == (None, "speech", 0.5)
    assert silent.features()[0].means["joy"] == pytest.approx(0.2)
    assert [row.reason for row in silent.resample(2.0) if row.track == 0] == [
        "speech", None, "speech",
    ]  # fmt: skip
    # Only the face of B: row 0 is silent, as only A speaks then.
    of_b = timeline.with_speech(SAID, {0: "B"}).silent()
    assert of_b[0].reason is None and of_b[1].reason == "speech"
    tolerant = timeline.with_speech(SAID).silent(max_speaking=0.25)
    assert tolerant[4].reason is None and tolerant[0].reason == "speech"
    with pytest.raises(EmoCLIPError, match=r"share of a window in \[0, 1\]"):
        tolerant.silent(2)
    with pytest.raises(EmoCLIPError, match="talk.mp4: nothing says who speaks"):
        timeline.silent()
