"""What `make run` refuses before it starts anything."""

import os
import socket

import pytest

from bootstrap.errors import BootstrapError
from bootstrap.start import claimed, made_home, port_from, refuse_busy_port


@pytest.mark.parametrize("text", ["", "no", "0", "65536", "-1", "80.5", "²"])
def test_refuses_what_is_no_port(text):
    with pytest.raises(BootstrapError, match=f"PORT={text} is no port number"):
        port_from(text)


def test_reads_a_port():
    assert port_from("8001") == 8001


def test_refuses_a_busy_port_and_names_another():
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        with pytest.raises(BootstrapError, match=rf"port {port} is taken .* make run PORT=\d+"):
            refuse_busy_port(port)


def test_accepts_a_free_port():
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

    refuse_busy_port(port)


def test_says_where_a_home_is_already_served(tmp_path):
    with (
        claimed(tmp_path, 8123),
        pytest.raises(
            BootstrapError, match=rf"already running at http://127.0.0.1:8123 \(process {os.getpid()}\)"
        ),
    ):
        claimed(tmp_path, 8000)


def test_claims_a_home_whose_owner_is_gone(tmp_path):
    claimed(tmp_path, 8123).close()

    with claimed(tmp_path, 8000) as lock:
        lock.seek(0)
        assert lock.read().startswith("http://127.0.0.1:8000 ")


def test_refuses_a_home_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(BootstrapError, match="cannot hold the site"):
        made_home(tmp_path / "file" / "home")


def test_refuses_a_home_whose_name_the_supervisor_cannot_read(tmp_path):
    with pytest.raises(BootstrapError, match="choose a folder with a plainer name"):
        made_home(tmp_path / "100 %")


def test_makes_a_home_for_its_owner_alone(tmp_path):
    home = made_home(tmp_path / "home")

    assert home.stat().st_mode & 0o777 == 0o700
    assert (home / "logs").is_dir()
