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


@pytest.fixture
def page(server):
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("playwright")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=FLAGS, timeout=PATIENCE
        )
        opened = browser.new_page()
        opened.set_default_timeout(PATIENCE)
        opened.goto(server.address)
        yield opened
        browser.close()


def files(server):
    # os.walk passes over a folder that the server deletes meanwhile; rglob raises.
    return sorted(name for _, _, names in os.walk(server.folder) for name in names)


def status(address):
    try:
        with urllib.request.urlopen(address) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def test_from_upload_to_file_to_nothing(page, server):
    outside = []
    page.on("request", lambda request: outside.append(request.url))
    page.set_input_files("#emo-video input[type=file]", CLIP)
    page.wait_for_selector(".emo-chart")
    assert files(server) == ["played.mp4"]

    page.fill("#emo-labels input", "an easy, toothy smile")
    page.keyboard.press("Enter")
    page.wait_for_selector('.emo-legend >> text="an easy, toothy smile"')
    lines = page.get_attribute(".emo-lines svg", "aria-label")
    assert lines.endswith("an easy, toothy smile")
    assert page.locator(".emo-lines polyline").count() == 9

    page.evaluate("document.querySelector('.emo-player video').currentTime = 1.5")
    page.wait_for_function("parseFloat(document.querySelector('.emo-playhead').style.left) > 49")
    assert page.inner_text(".emo-boxes").startswith("0 ")

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
    def upload():
        page.set_input_files("#emo-video input[type=file]", CLIP)
        page.wait_for_selector(".emo-chart")

    def line():
        return page.locator(".emo-lines polyline").first.get_attribute("points")

    upload()
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
    assert files(server) == []
    upload()
    assert files(server) == ["played.mp4"]


def test_what_is_no_video(page, server, tmp_path):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video at all")
    page.set_input_files("#emo-video input[type=file]", broken)
    page.wait_for_selector("text=broken.mp4:")
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
        data = [{"path": address, "meta": {"_type": "gradio.FileData"}}, ["joy"], 1, 0.5]
        body = json.dumps({"data": data, "fn_index": 0, "session_hash": "a"}).encode()
        request = urllib.request.Request(
            f"{server.address}gradio_api/queue/join", body, {"Content-Type": "application/json"}
        )
        assert status(request) == 403
        with pytest.raises(TimeoutError):
            listener.accept()
    elsewhere = urllib.request.Request(server.address, headers={"Host": "evil.example"})
    assert status(elsewhere) == 403
