"""How the server is set up: flags over environment (``HARKEN_*``) over a file over defaults."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import Field, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
    YamlConfigSettingsSource,
)

from harken_server.errors import SettingsError

FILES = ("harken.toml", "harken.yaml", "harken.yml")
"""Settings files looked for in the working directory."""
LogFormat = Literal["auto", "console", "json"]
LogLevel = Literal["debug", "info", "warning", "error"]
Transport = Literal["grpcio", "native"]
NATIVE_PACKAGE = "pygrpc_native"


def usable_cores() -> int:
    """The cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def shipped(package: str, folder: str) -> Path:
    """The folder that a member brings along, found without the seconds that importing it takes.

    It stands inside an installed package, and beside it in the source tree.
    """
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise SettingsError(f"{package} is not installed")
    home = Path(spec.origin).parent
    return home / folder if (home / folder).is_dir() else home.parent / folder


class Settings(BaseSettings):
    """Everything that can be set; ``docs/serving.md`` says more of each."""

    model_config = SettingsConfigDict(env_prefix="HARKEN_", extra="forbid", frozen=True)

    rules: Path = Field(default_factory=lambda: shipped("harken_rules", "base"))
    bundle: Path = Field(default_factory=lambda: shipped("harken_models", "default"))
    host: str = "127.0.0.1"
    port: int = Field(default=50051, ge=0, le=65535)
    control_host: str = "127.0.0.1"
    control_port: int = Field(default=50052, ge=0, le=65535)
    metrics_port: int = Field(default=50053, ge=0, le=65535)
    revisions: Path | None = None
    watch: bool = False
    watch_bundle: bool = False
    shadow: Path | None = None
    shadow_share: float = Field(default=0.1, gt=0, le=1)
    workers: int = Field(default_factory=usable_cores, ge=1, le=256)
    threads: int = Field(default=4, ge=1, le=64)
    max_in_flight: int = Field(default=128, ge=1, le=100_000)
    replay_streams: int = Field(default=2, ge=0, le=64)
    replay_idle_seconds: float = Field(default=300.0, gt=0, le=86_400)
    drain_seconds: float = Field(default=10.0, ge=0, le=600)
    start_seconds: float = Field(default=120.0, gt=0, le=600)
    memo_size: int = Field(default=131072, ge=1)
    pin: bool = True
    compiled: bool = False
    tls_cert: Path | None = None
    tls_key: Path | None = None
    tls_client_ca: Path | None = None
    insecure: bool = False
    transport: Transport = "grpcio"
    log_level: LogLevel = "info"
    log_format: LogFormat = "auto"
    ready_file: Path | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("tls_cert and tls_key go together; give both or neither")
        if self.tls_client_ca is not None and self.tls_cert is None:
            raise ValueError("tls_client_ca asks clients for certificates; it needs tls_cert too")
        for name in ("tls_cert", "tls_key", "tls_client_ca"):
            file: Path | None = getattr(self, name)
            if file is not None and not file.is_file():
                raise ValueError(f"{name}: there is no file {file}")
        if self.transport == "native":
            _see_that_native_can_be(self)
        if self.insecure:
            return self
        if self.tls_cert is None and not is_loopback(self.host):
            raise ValueError(
                f"host {self.host} can be reached from other machines, and without TLS anyone "
                "on the way can read customers' data; give tls_cert and tls_key, "
                "or say insecure (--insecure) if the network is yours alone"
            )
        if not is_loopback(self.control_host):
            raise ValueError(
                f"control_host {self.control_host} can be reached from other machines: whoever "
                "reaches the control port can change what is served, unless tls_client_ca asks "
                "for a certificate, and the metrics port is plain text; say insecure "
                "(--insecure) if the network is yours"
            )
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags over environment; ``load_settings`` puts the file below."""
        return init_settings, env_settings


def load_settings(flags: Mapping[str, Any], config: Path | None = None) -> Settings:
    """The settings in force; a flag of ``None`` was not given.

    ``config`` names the file; otherwise ``HARKEN_CONFIG`` does, otherwise the first of
    ``FILES`` in the working directory is taken if there is one. Raises ``SettingsError``
    with a line for everything wrong.
    """
    file = config or _found()
    given = {name: value for name, value in flags.items() if value is not None}

    class WithFile(Settings):
        @classmethod
        def settings_customise_sources(
            cls, settings_cls: type[BaseSettings], *sources: Any, **named: Any
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            flags_and_environment = Settings.settings_customise_sources(
                settings_cls, *sources, **named
            )
            return (*flags_and_environment, _file_source(settings_cls, file))

    try:
        return WithFile(**given)
    except ValidationError as error:
        lines = [_sentence(problem) for problem in error.errors()]
        raise SettingsError("\n".join(lines)) from None
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise SettingsError(f"settings file {file} cannot be read: {error}") from None


def _see_that_native_can_be(settings: Settings) -> None:
    if settings.tls_cert is not None:
        raise ValueError(
            "transport native serves no TLS; leave tls_cert out and put the server behind a proxy "
            "that terminates TLS, or use transport grpcio"
        )
    if find_spec(NATIVE_PACKAGE) is None:
        raise ValueError(
            "transport native needs a package that is not installed: "
            "pip install 'harken-server[native]'; transport grpcio needs nothing more"
        )


def is_loopback(host: str) -> bool:
    """Can ``host`` be reached from this machine only?"""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _found() -> Path | None:
    named = os.environ.get("HARKEN_CONFIG")
    if named:
        return Path(named)
    return next((Path(name) for name in FILES if Path(name).is_file()), None)


def _file_source(settings_cls: type[BaseSettings], file: Path | None) -> PydanticBaseSettingsSource:
    if file is None:
        return InitSettingsSource(settings_cls, {})
    if not file.is_file():
        raise FileNotFoundError(f"there is no file {file}")
    if file.suffix == ".toml":
        return TomlConfigSettingsSource(settings_cls, file)
    return YamlConfigSettingsSource(settings_cls, file)


def _sentence(problem: Any) -> str:
    name = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        return f"{name}: there is no such setting; known are: {', '.join(Settings.model_fields)}"
    message = str(problem["msg"]).removeprefix("Value error, ")
    return f"{name}: {message}" if name else message
