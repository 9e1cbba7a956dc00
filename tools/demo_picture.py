"""Take the picture of the page in docs/images/ (extra ``test-browser`` and a Chromium).

python tools/demo_picture.py [FOLDER]   # FOLDER: also dark and on a phone, to be looked at
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from emoclip_sdk import EmoCLIP
from emoclip_sdk.demo import Server

__all__ = ["main"]

ROOT = Path(__file__).parents[1]
CLIP = ROOT / "examples" / "portrait.mp4"
SHOWN_AT = 1.5  # seconds
LABEL = "a wide, toothy smile with raised cheeks"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def main(folder: Path | None = None) -> None:
    """Write demo.png; dark.png and phone.png into `folder`."""
    model = EmoCLIP.from_pretrained(device="cpu")
    with Server(model) as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=FLAGS, timeout=120_000
        )
        page = browser.new_page(viewport={"width": 1200, "height": 900})
        page.set_default_timeout(240_000)
        page.goto(f"{server.address}?__theme=light")
        page.set_input_files("#emo-video input[type=file]", CLIP)
        page.wait_for_selector(".emo-chart")
        page.fill("#emo-labels input", LABEL)
        page.keyboard.press("Enter")
        page.wait_for_selector(f'.emo-legend >> text="{LABEL}"')
        page.keyboard.press("Tab")
        page.click("text=What a label means")
        page.evaluate(f"document.querySelector('.emo-player video').currentTime = {SHOWN_AT}")
        page.wait_for_timeout(3000)
        page.screenshot(path=ROOT / "docs" / "images" / "demo.png", full_page=True)
        if folder is not None:
            page.evaluate("document.body.classList.add('dark')")
            page.wait_for_timeout(1000)
            page.screenshot(path=folder / "dark.png", full_page=True)
            page.set_viewport_size({"width": 390, "height": 844})
            page.wait_for_timeout(2000)
            page.screenshot(path=folder / "phone.png", full_page=True)
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
