"""The page as a visitor meets it, in a real browser."""

from __future__ import annotations

import csv
import json
import os
import shutil
import socket
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

pytestmark = pytest.mark.browser
CLIP = Path(__file__).parents[2] / "examples" / "portrait.mp4"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 120_000  # milliseconds


def missing(what):
    """Where it is our own machine, a test that can't run is a skip; in CI it is a failure."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} is missing; CI must test the page")
    pytest.skip(f"needs {what}")


@pytest.fixture(scope="module")
def server(embedded_model):
    if not shutil.which("chromium"):
        missing("chromium")
    from emoclip_sdk import MissingDependencyError
    from emoclip_sdk.demo import Server

    try:
        served = Server(embedded_model, max_upload_mb=5)
    except MissingDependencyError:
        missing("gradio")
    with served:
        yield served


@pytest.fixture(scope="module")
def browser():
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("playwright")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=FLAGS, timeout=PATIENCE
        )
        yield started
        started.close()


@pytest.fixture
def page(server, browser):
    opened = browser.new_page()
    opened.set_default_timeout(PATIENCE)
    opened.goto(server.address)
    opened.wait_for_selector("#emo-labels .token")
    yield opened
    opened.close()


def read(page, video=CLIP):
    page.set_input_files("#emo-video input[type=file]", video)
    page.click("#emo-read:not([disabled])")


def labels(page):
    return [text.strip() for text in page.locator("#emo-labels .token").all_inner_texts()]


def type_label(page, label):
    page.fill("#emo-labels input", label)
    page.keyboard.press("Enter")


def message(page):
    page.wait_for_selector(".toast-body")
    return page.inner_text(".toast-body")


def shown_time(page):
    return page.evaluate("parseFloat(document.querySelector('.emo-playhead').style.left)")


def files(server):
    # os.walk passes over a folder that the server deletes meanwhile; rglob raises.
    return sorted(name for _, _, names in os.walk(server.folder) for name in names)


def status(address):
    try:
        with urllib.request.urlopen(address) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def test_the_example_is_one_click_away(page, server):
    assert page.is_disabled("#emo-read")
    assert page.locator("#emo-save").count() == page.locator(".emo-chart").count() == 0
    page.click("#emo-example")
    page.wait_for_selector(".emo-chart")
    assert page.inner_text(".emo-chart h3").startswith("face 0 happiness 0.")
    assert "none of these" in page.inner_text(".emo-key")
    assert "happiness 0." in page.get_attribute(".emo-tip", "title")
    page.get_by_role("tab", name="Facial actions").click()
    page.wait_for_selector(".emo-words")
    assert "grin" in page.inner_text(".emo-words")
    assert "mouthSmile" in page.inner_text(".emo-names")
    assert page.is_enabled("#emo-save")


def test_from_upload_to_file_to_nothing(page, server):
    outside = []
    page.on("request", lambda request: outside.append(request.url))
    read(page)
    page.wait_for_selector(".emo-chart")
    assert files(server) == ["played.mp4"]

    before = page.locator(".emo-legend li", has_text="contempt").locator("i").get_attribute("style")
    type_label(page, "an easy, toothy smile")
    page.wait_for_selector('.emo-legend >> text="an easy, toothy smile"')
    lines = page.get_attribute(".emo-lines svg", "aria-label")
    assert lines.endswith("an easy, toothy smile")
    assert page.locator(".emo-lines polyline").count() == 9
    after = page.locator(".emo-legend li", has_text="contempt").locator("i").get_attribute("style")
    assert after == before

    page.evaluate("document.querySelector('.emo-player video').currentTime = 1.5")
    page.wait_for_function("parseFloat(document.querySelector('.emo-playhead').style.left) > 49")
    assert page.inner_text(".emo-boxes").startswith("face 0: ")

    page.keyboard.press("Tab")
    with page.expect_download() as download:
        page.click("#emo-save")
    assert download.value.suggested_filename == "portrait.csv"
    with open(download.value.path(), newline="") as file:
        assert "score:an easy, toothy smile" in next(csv.reader(file))

    local = (server.address, "blob:", "data:")
    assert [url for url in outside if not url.startswith(local)] == []
    page.close()
    until = time.monotonic() + 60
    while files(server) and time.monotonic() < until:
        time.sleep(0.2)
    assert files(server) == []


def test_other_words_for_a_label_and_another_video(page, server):
    def line():
        return page.locator(".emo-lines polyline").first.get_attribute("points")

    read(page)
    page.wait_for_selector(".emo-chart")
    before = line()
    meaning = page.locator("#emo-meaning")
    meaning.get_by_role("button", name="What a label means").click()
    words = meaning.locator("textarea")
    words.wait_for()
    own = words.input_value()
    words.fill("A broad smile that shows the teeth.")
    meaning.get_by_role("button", name="Use these words").click()
    meaning.get_by_text("your own words").wait_for()
    until = time.monotonic() + 60
    while line() == before and time.monotonic() < until:
        time.sleep(0.2)
    assert line() != before

    words.fill("")
    meaning.get_by_role("button", name="Use these words").click()
    meaning.get_by_text("of the prompt bank").wait_for()
    assert words.input_value() == own
    while line() != before and time.monotonic() < until:
        time.sleep(0.2)
    assert line() == before

    page.get_by_role("button", name="Another video").click()
    page.wait_for_selector(".emo-chart", state="detached")
    assert not page.locator("#emo-save").is_visible()
    assert files(server) == []
    read(page)
    page.wait_for_selector(".emo-chart")
    assert files(server) == ["played.mp4"]


def test_a_label_that_is_refused_leaves_the_box(page):
    before = labels(page)
    type_label(page, "--")
    assert "Taken out of the labels" in message(page) and "'--'" in message(page)
    page.wait_for_function(
        f"document.querySelectorAll('#emo-labels .token').length === {len(before)}"
    )
    assert labels(page) == before


def test_a_part_and_a_persons_own_neutral_face(page):
    page.get_by_role("button", name="Only a part of it").click()
    page.get_by_label("From", exact=True).fill("0:00:01")
    read(page)
    page.wait_for_selector(".emo-chart")
    assert page.get_attribute(".emo-chart", "data-begin") == "1.000"
    page.evaluate("document.querySelector('.emo-player video').currentTime = 1")
    page.wait_for_function("parseFloat(document.querySelector('.emo-playhead').style.left) > 45")
    assert shown_time(page) == pytest.approx(50, abs=3)  # 2 s, of 1 to 3 s
    page.locator("#emo-baseline").get_by_role("button").click()
    page.get_by_label("These seconds").click()
    page.locator("#emo-baseline").get_by_label("To second").fill("1.5")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=face 0: baseline is 1.")
    assert " neutral" in page.inner_text(".emo-legend")


def test_labels_stand_above_the_result_on_a_phone(browser, server):
    phone = browser.new_page(viewport={"width": 390, "height": 844})
    phone.set_default_timeout(PATIENCE)
    phone.goto(server.address)
    phone.click("#emo-example")
    phone.wait_for_selector(".emo-chart")
    tops = [
        phone.locator(part).bounding_box()["y"]
        for part in ("#emo-labels", ".emo-player", "#emo-save", "#emo-meaning")
    ]
    assert tops == sorted(tops)
    wide = phone.evaluate("document.documentElement.scrollWidth")
    assert wide <= 390
    phone.close()


def test_what_is_no_video(page, server, tmp_path):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video at all")
    read(page, broken)
    text = message(page)
    assert "broken.mp4:" in text
    assert str(server.folder) not in text and "/" not in text
    assert page.locator(".toast-body").count() == 1 and not page.locator(".error").count()
    until = time.monotonic() + 20
    while files(server) and time.monotonic() < until:
        time.sleep(0.2)
    assert files(server) == []


def test_no_file_of_the_machine_and_no_address(server):
    assert server.address.startswith("http://127.0.0.1:")
    files = f"{server.address}gradio_api/file="
    assert status(server.address) == 200
    for path in ("/etc/passwd", Path(__file__), f"{server.folder}/../passwd", "http://localhost/"):
        assert status(f"{files}{path}") in (403, 404), path


def test_a_network_address_is_no_upload(server):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(2)
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/a.mp4"
        data = [{"path": address, "meta": {"_type": "gradio.FileData"}}, None, None, ["joy"]]
        body = json.dumps({"data": data, "fn_index": 0, "session_hash": "a"}).encode()
        request = urllib.request.Request(
            f"{server.address}gradio_api/queue/join", body, {"Content-Type": "application/json"}
        )
        assert status(request) == 403
        with pytest.raises(TimeoutError):
            listener.accept()
    elsewhere = urllib.request.Request(server.address, headers={"Host": "evil.example"})
    assert status(elsewhere) == 403
