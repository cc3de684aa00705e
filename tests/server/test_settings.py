"""Where settings come from, and which are refused."""

from __future__ import annotations

import pytest
from harken_models import default_bundle_path
from harken_rules import default_base_path
from harken_server.errors import SettingsError
from harken_server.settings import is_loopback, load_settings


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """A working directory and an environment without settings."""
    monkeypatch.chdir(tmp_path)
    for name in ("HARKEN_CONFIG", "HARKEN_PORT", "HARKEN_HOST"):
        monkeypatch.delenv(name, raising=False)


def test_defaults_are_loopback_and_plain():
    settings = load_settings({})
    assert (settings.host, settings.port, settings.insecure) == ("127.0.0.1", 50051, False)
    assert settings.workers >= 1
    assert settings.tls_cert is None
    assert (settings.control_host, settings.control_port) == ("127.0.0.1", 50052)
    assert settings.metrics_port == 50053
    assert (settings.watch, settings.revisions, settings.shadow) == (False, None, None)


def test_flags_beat_the_environment_and_the_environment_beats_the_file(tmp_path, monkeypatch):
    file = tmp_path / "harken.toml"
    file.write_text("port = 1\nthreads = 5\nmax_in_flight = 7\n")
    assert load_settings({}).threads == 5  # found in the working directory
    monkeypatch.setenv("HARKEN_PORT", "2")
    monkeypatch.setenv("HARKEN_THREADS", "6")
    settings = load_settings({"port": 3, "threads": None}, file)
    assert (settings.port, settings.threads, settings.max_in_flight) == (3, 6, 7)


def test_yaml_will_do_as_well(tmp_path):
    file = tmp_path / "other.yaml"
    file.write_text("port: 77\npin: false\n")
    settings = load_settings({}, file)
    assert (settings.port, settings.pin) == (77, False)


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        ({"host": "0.0.0.0"}, "--insecure"),
        ({"host": "::"}, "without TLS"),
        ({"host": "scores.example"}, "without TLS"),
        ({"control_host": "0.0.0.0"}, "control_host"),
        ({"tls_cert": "a.pem"}, "go together"),
        ({"tls_client_ca": "a.pem"}, "needs tls_cert"),
        ({"tls_cert": "a.pem", "tls_key": "b.pem"}, "there is no file a.pem"),
        ({"port": 70000}, "port"),
        ({"workers": 0}, "workers"),
        ({"shadow_share": 0}, "shadow_share"),
        ({"shadow_share": 1.5}, "shadow_share"),
        ({"log_level": "loud"}, "log_level"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_sentence(flags, says):
    with pytest.raises(SettingsError, match=says) as caught:
        load_settings(flags)
    assert "pydantic" not in str(caught.value)
    assert "Value error" not in str(caught.value)


def test_insecure_allows_plain_text_beyond_loopback():
    assert load_settings({"host": "0.0.0.0", "insecure": True}).host == "0.0.0.0"


def test_a_file_with_an_unknown_setting_is_refused(tmp_path):
    file = tmp_path / "harken.toml"
    file.write_text("prot = 1\n")
    with pytest.raises(SettingsError, match=r"prot: there is no such setting.*port"):
        load_settings({}, file)


@pytest.mark.parametrize("text", ["port = = 1", "\x00"])
def test_a_file_that_cannot_be_read_is_refused(tmp_path, text):
    file = tmp_path / "harken.toml"
    file.write_text(text)
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings({}, file)
    with pytest.raises(SettingsError, match="there is no file"):
        load_settings({}, tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("localhost", True),
        ("::1", True),
        ("[::1]", True),
        ("0.0.0.0", False),
        ("192.168.1.1", False),
        ("localhost.example", False),
    ],
)
def test_loopback(host, expected):
    assert is_loopback(host) is expected


def test_what_is_shipped_is_where_the_members_say():
    settings = load_settings({})
    assert (settings.rules, settings.bundle) == (default_base_path(), default_bundle_path())
