"""What the README shows is what a reader gets."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
MAIN = "from harken_client.main import main; main()"


def blocks(language: str = "") -> list[str]:
    """The fenced blocks in one language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def test_the_call_gives_the_answer_shown(served: Any) -> None:
    (call,) = [block for block in blocks() if block.startswith("$ harken score")]
    words = shlex.split(call.removeprefix("$ harken ").replace("\\\n", " "))
    done = subprocess.run(
        [sys.executable, "-c", MAIN, *words, "--target", served.target],
        capture_output=True,
        text=True,
        check=True,
    )
    (answer,) = [block for block in blocks() if block.startswith("╭")]
    assert done.stdout.startswith(answer)


def test_the_python_example_runs(served: Any) -> None:
    (program,) = blocks("python")
    program = program.replace("127.0.0.1:50051", served.target)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    level, probability = done.stdout.split()[:2]
    assert int(level) in range(1, 6)
    assert 0 < float(probability) < 1
