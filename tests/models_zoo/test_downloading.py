"""Fetching weights: from a server of the tests' own, in the very format that torchvision's files have."""

import hashlib
import http.server
import io
import re
import threading
from dataclasses import replace

import pytest
import torch

from models_zoo import registry
from models_zoo.downloading import download, downloads_folder
from models_zoo.errors import DownloadFailed, ImportRefused, UnknownClassifier, WeightsMissing
from models_zoo.imported import classifiers_folder
from models_zoo.torchvision_zoo import OFFERS
from tests.models_zoo.own import colour_weights

NAME = "squeezenet-1-1"


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("FOOLING_HOME", str(tmp_path / "home"))


@pytest.fixture(scope="module")
def content():
    """Random weights of the right shapes, as torchvision's file would hold them."""
    file = io.BytesIO()
    torch.save(colour_weights(1000), file)
    return file.getvalue()


def offered(content, monkeypatch):
    """Let torchvision offer this content, and return its file name."""
    name = f"squeezenet1_1-{hashlib.sha256(content).hexdigest()[:8]}.pth"
    monkeypatch.setitem(OFFERS, NAME, replace(OFFERS[NAME], file=name))
    return name


@pytest.fixture
def serve(tmp_path):
    """Return a way to serve files; of a file named "cut" the second half never comes."""
    servers = []

    def start(files, *, cut=False):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = files.get(self.path.lstrip("/"))
                if body is None:
                    self.send_error(404)
                    return
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[: len(body) // 2] if cut else body)

            def log_message(self, *arguments):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=[0.02], daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}/"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def nothing_is_left():
    with pytest.raises(WeightsMissing, match=f"manage.py download_classifier {NAME} fetches it"):
        registry.find(NAME).require_weights()
    return not classifiers_folder().exists()


def test_fetches_checks_and_keeps_safetensors(content, serve, monkeypatch):
    seen = []
    address = serve({offered(content, monkeypatch): content})

    entry = download(NAME, mirror=address, watch=lambda done, total: seen.append((done, total)))

    assert registry.find(NAME) == entry
    entry.require_weights()
    assert entry.card["test_error_percent"] == pytest.approx(41.822)
    assert seen[-1] == (len(content), len(content))
    assert sorted(path.name for path in (classifiers_folder() / NAME).iterdir()) == [
        "classifier.json",
        "weights.safetensors",
    ]
    confidences = registry.load(NAME, "cpu")(torch.zeros(1, 3, 256, 256))
    assert confidences.shape == (1, 1000)


def test_mends_weights_that_were_damaged(content, serve, monkeypatch):
    address = serve({offered(content, monkeypatch): content})
    download(NAME, mirror=address)
    (classifiers_folder() / NAME / "weights.safetensors").write_bytes(b"damaged")

    download(NAME, mirror=address).require_weights()


def test_takes_a_file_that_was_put_there_by_hand(content, monkeypatch):
    downloads_folder().mkdir(parents=True)
    (downloads_folder() / offered(content, monkeypatch)).write_bytes(content)

    download(NAME, mirror="http://127.0.0.1:9/").require_weights()


def test_leaves_nothing_of_a_download_that_was_cut(content, serve, monkeypatch):
    address = serve({offered(content, monkeypatch): content}, cut=True)

    with pytest.raises(DownloadFailed, match="damaged or cut short"):
        download(NAME, mirror=address)

    assert nothing_is_left()


def test_leaves_nothing_of_a_file_with_another_hash(content, serve, monkeypatch):
    address = serve({offered(content, monkeypatch): content[:-1] + b"x"})

    with pytest.raises(DownloadFailed, match=r"its hash begins with [0-9a-f]{8} instead of"):
        download(NAME, mirror=address)

    assert nothing_is_left()


@pytest.mark.parametrize("mirror", ["http://127.0.0.1:9/", "http://no-such-host.invalid/"])
def test_says_where_to_put_the_file_by_hand_without_internet(mirror):
    with pytest.raises(DownloadFailed) as refusal:
        download(NAME, mirror=mirror)

    line = str(refusal.value)
    assert line.startswith(
        f"squeezenet1_1-b8a52dc0.pth could not be fetched ({mirror}squeezenet1_1-b8a52dc0.pth: "
    )
    assert line.endswith(f"put it into {downloads_folder()}")
    assert "\n" not in line
    assert nothing_is_left()


def test_names_torchvisions_own_address_where_that_was_tried(monkeypatch):
    from torchvision import models

    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    address = models.SqueezeNet1_1_Weights.IMAGENET1K_V1.url

    with pytest.raises(DownloadFailed, match=re.escape(f"could not be fetched ({address}: ")):
        download(NAME)


def test_says_that_a_server_does_not_have_it(serve):
    with pytest.raises(
        DownloadFailed,
        match=r"could not be fetched \(http://127.0.0.1:\d+/squeezenet1_1-\w+.pth: answer 404\)",
    ):
        download(NAME, mirror=serve({}))


@pytest.mark.parametrize("mirror", ["file:///etc/", "ftp://127.0.0.1/", "nonsense"])
def test_asks_web_servers_alone(mirror):
    with pytest.raises(DownloadFailed, match="is no web address"):
        download(NAME, mirror=mirror)


def test_never_runs_what_a_pickle_says(tmp_path, serve, monkeypatch):
    class Bomb:
        def __reduce__(self):
            return (tmp_path.joinpath("exploded").touch, ())

    file = io.BytesIO()
    torch.save({"weight": Bomb()}, file)
    address = serve({offered(file.getvalue(), monkeypatch): file.getvalue()})

    with pytest.raises(DownloadFailed, match="holds no weights"):
        download(NAME, mirror=address)

    assert not (tmp_path / "exploded").exists()
    assert nothing_is_left()


def test_refuses_weights_of_another_network(serve, monkeypatch):
    file = io.BytesIO()
    torch.save({"weight": torch.zeros(3)}, file)
    address = serve({offered(file.getvalue(), monkeypatch): file.getvalue()})

    with pytest.raises(ImportRefused, match="do not fit torchvision:squeezenet1_1"):
        download(NAME, mirror=address)

    assert nothing_is_left()


def test_refuses_a_name_that_is_not_offered():
    with pytest.raises(UnknownClassifier, match="offers no 'mnist-lenet' here; choose one of: alexnet"):
        download("mnist-lenet")
