"""What the page lets through, without Gradio and without a browser."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from emoclip_sdk.demo.gate import Gate, without_paths
from emoclip_sdk.errors import VideoError

HERE = "127.0.0.1:7860"


@pytest.fixture
def root(tmp_path) -> Path:
    folder = tmp_path / "demo"
    (folder / "abc").mkdir(parents=True)
    (folder / "abc" / "clip.mp4").write_bytes(b"video")
    (tmp_path / "secret.mp4").write_bytes(b"secret")
    (folder / "link.mp4").symlink_to(tmp_path / "secret.mp4")
    return folder


def ask(
    root: Path, path: str, body: bytes = b"", *, method: str = "POST", parts: int = 1,
    headers: dict[str, str] | None = None, **options: Any,
) -> tuple[int, bytes]:  # fmt: skip
    """Send a request; return the status, and the body as the page would get it."""
    seen = b""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        nonlocal seen
        while True:
            message = await receive()
            seen += message.get("body", b"")
            if not message.get("more_body"):
                break
        await send({"type": "http.response.start", "status": 200, "headers": []})

    size = max(1, -(-len(body) // parts))
    chunks = [body[i : i + size] for i in range(0, len(body), size)] or [b""]
    messages = [
        {"type": "http.request", "body": c, "more_body": i < len(chunks) - 1}
        for i, c in enumerate(chunks)
    ]
    status = 0

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Any) -> None:
        nonlocal status
        status = message.get("status", status)

    given = {"host": HERE, **(headers or {})}
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "headers": [(k.encode(), v.encode()) for k, v in given.items()],
    }
    gate = Gate(app, root, options.pop("host", "127.0.0.1"), 1000, **options)
    asyncio.run(gate(scope, receive, send))
    return status, seen


def join(root: Path, *data: Any, **options: Any) -> int:
    body = json.dumps({"data": data, "fn_index": 0}).encode()
    status, seen = ask(root, "/gradio_api/queue/join", body, parts=3, **options)
    assert status != 200 or seen == body
    return status


def test_uploads_and_words_go_through(root) -> None:
    upload = {"path": str(root / "abc" / "clip.mp4"), "meta": {"_type": "gradio.FileData"}}
    own = {**upload, "url": f"http://{HERE}/gradio_api/file={upload['path']}"}
    assert join(root, upload, ["joy", "http://a.b/is a label"], 1.0) == 200
    assert join(root, {"video": own, "subtitles": None}) == 200
    assert ask(root, "/", method="GET") == (200, b"")


@pytest.mark.parametrize(
    "path",
    [
        "http://example.com/a.mp4",
        "https://example.com/a.mp4",
        "rtsp://example.com/a",
        "file:///etc/passwd",
        "/etc/passwd",
        "//example.com/share/a.mp4",
        "{root}/../secret.mp4",
        "{root}/link.mp4",
        "{root}/abc",
        "{root}/missing.mp4",
        "",
        None,
        ["a"],
        5,
    ],
)
def test_nothing_else_is_named_as_a_file(root, path) -> None:
    path = path.format(root=root) if isinstance(path, str) else path
    for file in ({"path": path}, {"path": path, "url": None}, {"a": [{"b": {"path": path}}]}):
        if path is not None or "url" not in file:
            expected = 200 if path is None else 403
            assert join(root, file) == expected


def test_an_address_beside_an_upload(root) -> None:
    path = str(root / "abc" / "clip.mp4")
    for url in ("http://example.com/", "//example.com/", "ftp://127.0.0.1/", 5, "http://["):
        assert join(root, {"path": path, "url": url}) == 403
        assert join(root, {"url": url}) == 403


@pytest.mark.parametrize(
    "route",
    ["/gradio_api/proxy=http://a.b/", "/gradio_api/file=https://a.b/", "/file=HTTP://a.b/"],
)
def test_routes_that_fetch(root, route) -> None:
    assert ask(root, route, method="GET")[0] == 403


def test_host_and_origin(root) -> None:
    def visit(headers: dict[str, str], **options: Any) -> int:
        return ask(root, "/", method="GET", headers=headers, **options)[0]

    assert visit({"host": "localhost:7860", "origin": "http://localhost:7860"}) == 200
    assert visit({"host": "evil.example:7860"}) == 403
    assert visit({"host": HERE, "origin": "http://evil.example"}) == 403
    assert visit({"host": HERE, "origin": "null"}) == 403
    assert visit({"host": "192.168.1.5:7860"}) == 403
    assert visit({"host": "192.168.1.5:7860"}, host="0.0.0.0") == 200
    assert visit({"host": "evil.example"}, host="0.0.0.0") == 403
    assert visit({"host": "faces.lab.example"}, allowed_hosts=["faces.lab.example"]) == 200


def test_many_files_in_one_request_count_together(root) -> None:
    fits, too_large = b"x" * 60_000, b"x" * 70_000
    assert ask(root, "/gradio_api/upload", fits, parts=9)[0] == 200
    assert ask(root, "/gradio_api/upload", too_large, parts=9)[0] == 413
    stated = {"content-length": str(10**9)}
    assert ask(root, "/gradio_api/upload", b"", headers=stated)[0] == 413
    assert ask(root, "/gradio_api/queue/join", b"[" * 3_000_000)[0] == 413
    assert ask(root, "/gradio_api/queue/join", b"[" * 100_000)[0] == 403


def test_messages_name_no_place_on_the_server() -> None:
    error = VideoError("/tmp/emoclip-demo-x1/3f/my clip.mp4", "can't be opened (no/video)")
    assert without_paths(error) == "my clip.mp4: can't be opened (no/video)"
    windows = VideoError(r"C:\Users\me\x\a.mp4", "is broken")
    assert without_paths(windows) == "a.mp4: is broken"
