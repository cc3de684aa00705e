"""Writes the Python code of every .proto beside it.

Run by ``make protos`` with the compiler pinned there. The compiler is an old one on
purpose: its code runs with every protobuf from 3.20 and every grpcio from 1.49 up to
today's, while newer compilers write code that refuses older runtimes.
"""

from __future__ import annotations

import sys
from pathlib import Path

import google.rpc
import grpc_tools
from grpc_tools import protoc

HERE = Path(__file__).parent


def main() -> int:
    """Compile; answer protoc's exit code."""
    include = Path(grpc_tools.__file__).parent / "_proto"
    googleapis = Path(next(iter(google.rpc.__path__))).parent.parent
    sources = sorted(str(path.relative_to(HERE)) for path in HERE.glob("harken/**/*.proto"))
    return int(
        protoc.main(
            [
                "protoc",
                f"-I{HERE}",
                f"-I{include}",
                f"-I{googleapis}",
                f"--python_out={HERE}",
                f"--pyi_out={HERE}",
                f"--grpc_python_out={HERE}",
                *sources,
            ]
        )
    )


if __name__ == "__main__":
    sys.exit(main())
