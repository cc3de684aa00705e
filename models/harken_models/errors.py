"""What can go wrong in this package, drawn as one tree.

    ModelsError
    ├── SpecError       a dataset specification is wrong; holds every problem found
    ├── DataError       a data file is missing, unreadable or lacks a column
    ├── TrainingError   the data is readable but cannot be trained on
    ├── FeatureError    one value of a row has the wrong type; names field and value
    ├── BundleError     a bundle is incomplete, altered, or not made for this program
    └── NotCompiledError  the trees are not to be had as machine code; LightGBM goes on

None of them knows a transport. ``str(error)`` is fit for a person: what is wrong, where,
and how to mend it.
"""

from __future__ import annotations

from dataclasses import dataclass


class ModelsError(Exception):
    """Base of every error that a user of this package can cause."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault of a YAML file: where (lines and columns from 1), what, and the mend."""

    file: str
    line: int
    column: int
    field: str
    message: str
    mend: str = ""

    def __str__(self) -> str:
        text = f"{self.file}:{self.line}:{self.column}: {self.field}: {self.message}"
        return f"{text}\n  help: {self.mend}" if self.mend else text


class SpecError(ModelsError):
    """A dataset specification with all its problems, in file order."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__("\n".join(map(str, problems)))


class DataError(ModelsError):
    """A data file that cannot be read as its specification says."""


class TrainingError(ModelsError):
    """Data that no model can be trained on."""


class FeatureError(ModelsError):
    """One value that cannot become a feature."""

    def __init__(self, field: str, value: object, message: str) -> None:
        self.field = field
        self.value = value
        super().__init__(f"{field}: {message}")


class BundleError(ModelsError):
    """A bundle that must not be served."""


class NotCompiledError(ModelsError):
    """Trees that are not to be had as machine code; the text says why."""


class NotCompiledWarning(UserWarning):
    """The same where LightGBM steps in."""
