"""Tiny models, and a local server that speaks the part of the Hub's API that we need."""

from __future__ import annotations

import base64
import hashlib
import http.server
import json
import threading
import urllib.parse
from dataclasses import dataclass, field

import pytest
import torch

from emoclip_sdk.checkpoints import save_folder
from emoclip_sdk.config import ModelConfig, PromptConfig, TemporalConfig, TowersConfig
from emoclip_sdk.nn import DualEncoder

# CLIP's layout at a hundredth of its size: heads are 64 wide, as the converters assume.
TINY_CLIP = {
    "embed_dim": 32,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 64, "patch_size": 16},
    "text_cfg": {"context_length": 77, "vocab_size": 100, "width": 64, "heads": 1, "layers": 1},
}


@pytest.fixture
def config():
    return ModelConfig(
        TowersConfig(model=TINY_CLIP, quick_gelu=True),
        TemporalConfig(layers=1, heads=2, dim_head=8, mlp_dim=16, max_positions=12),
        prompts=PromptConfig(("anger", "happiness")),
        info={"name": "tiny"},
    )


@pytest.fixture
def model(config):
    torch.manual_seed(1)
    return DualEncoder(config).eval()


@pytest.fixture
def folder(tmp_path, config, model):
    return save_folder(tmp_path / "saved", config, model.state_dict(), prompts_yaml="a: b\n")


@dataclass
class Repo:
    files: dict[str, bytes]
    private: bool = False
    gated: bool = False
    revisions: dict[str, str] = field(default_factory=lambda: {"main": "a" * 40})

    def commit(self, revision: str) -> str | None:
        return revision if revision in self.revisions.values() else self.revisions.get(revision)


class Hub(http.server.ThreadingHTTPServer):
    """State of the pretended Hub; tests set it and read it."""

    token = "hf_right"

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.repos: dict[str, Repo] = {}
        self.requests: list[str] = []
        self.lfs: dict[str, bytes] = {}
        self.pauses: list[float] = []
        self.cut_short = False
        self.broken_bytes = False
        self.failing_status: int | None = None

    def handle_error(self, request, client_address):  # a client that hangs up is part of a test
        pass


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Hub

    def log_message(self, *args):
        pass

    def answer(self, status=200, body=b"", headers=None):
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        self.send_response(status)
        headers = {"Content-Length": str(len(body)), **(headers or {})}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            sent = body
            if self.server.cut_short and "resolve" in self.path and "safetensors" in self.path:
                sent = body[: len(body) // 2]
                self.close_connection = True
            self.wfile.write(sent)

    def allowed(self, name):
        """Answer and return None unless the repository exists and this caller may see it."""
        given = self.headers.get("Authorization", "").removeprefix("Bearer ")
        repo = self.server.repos.get(name)
        if given and given != self.server.token:
            message = "Invalid credentials in Authorization header"
            self.answer(401, {"error": message}, {"X-Error-Message": message})
        elif repo is None or (repo.private and not given):
            self.answer(401 if not given else 404, b"", {"X-Error-Code": "RepoNotFound"})
        elif repo.gated:
            self.answer(403, b"", {"X-Error-Code": "GatedRepo"})
        else:
            return repo
        return None

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        path = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path)
        self.server.requests.append(f"{self.command} {path}")
        if self.server.failing_status:
            return self.answer(self.server.failing_status, b"{}")
        if path.startswith("/release/"):
            return self.answer(200, self.server.lfs[path.removeprefix("/release/")])
        parts = path.strip("/").split("/")
        if parts[:2] == ["api", "models"]:
            name, rest = "/".join(parts[2:4]), parts[4:]
        else:
            name, rest = "/".join(parts[:2]), parts[2:]
        repo = self.allowed(name)
        if repo is None:
            return None
        commit = repo.commit(rest[1] if len(rest) > 1 else "main")
        if commit is None:
            return self.answer(404, b"", {"X-Error-Code": "RevisionNotFound"})
        if not rest or rest[0] == "revision":
            files = [{"rfilename": file} for file in repo.files]
            return self.answer(200, {"id": name, "sha": commit, "siblings": files})
        if rest[0] == "tree":
            return self.answer(200, [self.entry(*item) for item in repo.files.items()])
        file = "/".join(rest[2:])
        if file not in repo.files:
            return self.answer(404, b"", {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": commit})
        body = repo.files[file]
        etag = hashlib.sha256(body).hexdigest()
        if self.server.broken_bytes and file.endswith(".safetensors"):
            body = body[:-8] + bytes(8)
        return self.answer(200, body, {"ETag": f'"{etag}"', "X-Repo-Commit": commit})

    def entry(self, path, body):
        digest = hashlib.sha256(body).hexdigest()
        return {"type": "file", "path": path, "size": len(body), "oid": digest[:40]}

    def do_PUT(self):
        oid = self.path.rsplit("/", 1)[-1]
        self.server.lfs[oid] = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer()

    def do_POST(self):
        path = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path)
        self.server.requests.append(f"POST {path}")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        hub = self.server
        if self.headers.get("Authorization") != f"Bearer {hub.token}":
            message = "Invalid credentials in Authorization header"
            return self.answer(401, {"error": message}, {"X-Error-Message": message})
        if path == "/api/validate-yaml":
            return self.answer(200, {"errors": [], "warnings": []})
        if path == "/api/repos/create":
            request = json.loads(body)
            name = f"{request['organization']}/{request['name']}"
            if name in hub.repos:
                return self.answer(409, {"url": f"{hub.url}/{name}"})
            private = request.get("visibility") == "private" or request.get("private")  # new, old
            hub.repos[name] = Repo({}, private=bool(private))
            return self.answer(200, {"url": f"{hub.url}/{name}"})
        if "/branch/" in path:
            name = "/".join(path.split("/")[3:5])
            hub.repos[name].revisions[path.split("/")[-1]] = "b" * 40
            return self.answer(200, {})
        if "/preupload/" in path:
            files = [
                {
                    "path": file["path"],
                    "uploadMode": "lfs" if file["path"].endswith(".safetensors") else "regular",
                    "shouldIgnore": False,
                }
                for file in json.loads(body)["files"]
            ]
            return self.answer(200, {"files": files})
        if path.endswith("/info/lfs/objects/batch"):
            objects = [
                {**o, "actions": {"upload": {"href": f"{hub.url}/upload/{o['oid']}"}}}
                for o in json.loads(body)["objects"]
            ]
            return self.answer(200, {"transfer": "basic", "objects": objects})
        if "/commit/" in path:
            name = "/".join(path.split("/")[3:5])
            for line in body.decode().splitlines():
                item = json.loads(line)
                value = item["value"]
                if item["key"] == "file":
                    hub.repos[name].files[value["path"]] = base64.b64decode(value["content"])
                if item["key"] == "lfsFile":
                    hub.repos[name].files[value["path"]] = hub.lfs[value["oid"]]
            oid = "c" * 40
            url = f"{hub.url}/{name}/commit/{oid}"
            answer = {
                "commitUrl": url,
                "commitOid": oid,
                "pullRequestUrl": f"{hub.url}/{name}/discussions/1",
            }
            return self.answer(200, answer)
        return self.answer(404)


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """Run a Hub on this machine and send huggingface_hub to it, with an empty cache."""
    from huggingface_hub import constants, file_download

    server = Hub()
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
    # HF_ENDPOINT is read when huggingface_hub is imported, too early for a test.
    monkeypatch.setattr(constants, "ENDPOINT", server.url)
    monkeypatch.setattr(
        constants,
        "HUGGINGFACE_CO_URL_TEMPLATE",
        server.url + "/{repo_id}/resolve/{revision}/{filename}",
    )
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "no-token"))
    # Xet's own storage protocol is not spoken here; plain HTTP and LFS are the Hub's other ways.
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_PROGRESS_BARS", True)
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr(file_download.time, "sleep", server.pauses.append)  # between retries
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def repo(hub, folder):
    """Put the tiny checkpoint on the Hub as org/tiny."""
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    hub.repos["org/tiny"] = Repo({**files, "training.log": b"not downloaded"})
    return hub.repos["org/tiny"]
