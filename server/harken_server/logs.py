"""Structured logs. They say how many and how long, never who: no ids, no fields of a request."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog

from harken_server.settings import LogFormat, LogLevel


def set_up_logs(level: LogLevel, log_format: LogFormat) -> None:
    """Log to stderr: JSON lines, or coloured text where a person is watching."""
    number = logging.getLevelNamesMapping()[level.upper()]
    as_json = log_format == "json" or (log_format == "auto" and not sys.stderr.isatty())
    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if as_json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        # A line at a time: all workers write to the same place.
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    # grpcio logs a handler's exception with its text; ours never reach it, and whatever
    # else does may quote a request.
    logging.getLogger("grpc").setLevel(logging.CRITICAL)
