"""``harken rules calibrate``: cut-offs that give the levels their shares."""

from __future__ import annotations

import difflib
import shutil
import tempfile
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from harken_rules import printing
from harken_rules.commands.shared import FOUND, OK, Json, must_name, path_of, refuse, sound
from harken_rules.exact import scale_of
from harken_rules.files import write_whole

from harken_server.rule_options import (
    BundleFolder,
    Probability,
    Processes,
    Spec,
    bundle_path,
    opened_history,
    progress_bar,
)

if TYPE_CHECKING:
    from harken_rules.calibrate import Calibrated
    from harken_rules.cases import CaseResult
    from harken_rules.cutoffs import Scale

    from harken_server.calibrating import Banded

Plain = dict[str, Any]
SHARES = "12.5,17.5,30,20,20"
"""The domain's grading table: mid-points of the shares of levels 5 to 1."""


def calibrate(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="[DIR] HISTORY",
            help="The rule base's folder, if not the shipped one; a flat .csv or .parquet file.",
        ),
    ],
    spec: Spec = None,
    shares: Annotated[
        str, typer.Option("--shares", help="Wanted shares in per cent, highest level first.")
    ] = SHARES,
    step: Annotated[str, typer.Option("--step", help="Cut-offs are multiples of this.")] = "0.01",
    decision: Annotated[
        str | None,
        typer.Option("--decision", help="The decision to calibrate, if there are several."),
    ] = None,
    write: Annotated[
        bool, typer.Option("--write", help="Change the file; otherwise only show how.")
    ] = False,
    bundle: BundleFolder = None,
    probability: Probability = None,
    processes: Processes = None,
    as_json: Json = False,
) -> None:
    """Set the cut-offs of the base level so that the levels get their shares.

    HISTORY is a flat file of grumbles, as `harken data prepare` writes it (other files:
    --spec). What counts is the final level, after every adjustment. Shown are cut-offs, shares
    and, where outcomes are known, complaint rates, before and after, and the change as a diff;
    --write makes it. Only the cut-offs are touched: comments and layout stay. Cases that no
    longer hold are listed, since they rest on the old cut-offs.

    **Example:** `harken rules calibrate build/mybase june.parquet --write`

    **Exit code:** 0 calibrated, 1 cases fail now, 2 rule base or history cannot be used.
    """
    from harken_rules import EngineError
    from harken_rules.calibrate import CalibrationError
    from harken_rules.cutoffs import CutOffError

    from harken_server.history import HistoryError

    if len(paths) > 2:
        refuse("give a rule base's folder and one history", paths[0], as_json)
    if write and len(paths) == 1:
        must_name(None, as_json)
    path, history = paths if len(paths) == 2 else (path_of(None), paths[0])
    wanted = _shares(shares, history, as_json)
    stride = _step(step, history, as_json)
    try:
        found = _Calibration(path, wanted, stride, decision, as_json)
        found.run(history, spec, bundle_path(bundle), probability, processes)
    except (HistoryError, CalibrationError, CutOffError, EngineError) as error:
        refuse(str(error), history, as_json)
    if write and found.changed:
        found.write()
    if as_json:
        printing.as_json({"written": write and found.changed, **found.plain()})
    else:
        found.show(write)
    raise typer.Exit(FOUND if found.failures else OK)


class _Calibration:
    """One run of the command: what is read, computed, shown and perhaps written."""

    def __init__(
        self,
        path: Path,
        shares: list[float],
        step: Decimal,
        decision: str | None,
        as_json: bool,
    ) -> None:
        from harken_rules.cutoffs import find_scale

        self.path, self.step, self.as_json = path, step, as_json
        self.base = sound(path, as_json)[0]
        self.scale: Scale = find_scale(self.base, len(shares), decision)
        levels = map(int, reversed(self.scale.bands))
        self.targets = dict(zip(levels, shares, strict=True))
        self.file = path / self.scale.decision.place.file
        self.before = self.file.read_bytes()

    def run(
        self,
        history: Path,
        spec: Path | None,
        bundle: Path,
        probability: str | None,
        processes: int | None,
    ) -> None:
        """Read the history, find the cut-offs, and check the base as it would be."""
        from harken_rules.calibrate import CalibrationError, Histogram, calibrate
        from harken_rules.cutoffs import moved

        from harken_server.calibrating import BandingWork, banded_rows

        opened = opened_history(history, spec, bundle, [self.base], probability)
        work = BandingWork(self.base, self.scale, self.step, bundle, opened)
        with progress_bar("reading", opened.rows) as progress:
            self.rows: Banded = banded_rows(work, processes, progress)
        self.notes = opened.notes
        counts: Counter[tuple[int, tuple[int | None, ...]]] = Counter()
        fixed: Counter[int | None] = Counter()
        for (place, profile, _), number in self.rows.rows.items():
            if place is not None:
                counts[place, profile] += number
            else:
                fixed[self._of_missing(profile)] += number
        if not counts:
            raise CalibrationError(f"{history}: no row has the number '{self.scale.fact}'")
        histogram = Histogram(counts, fixed)
        self.found: Calibrated = calibrate(histogram, self.targets, self.step, self.scale.cuts)
        new = dict(zip(self.scale.cuts, self.found.cuts, strict=True))
        self.after = moved(self.before, self.scale, new, self.places)
        self.failures = self._recheck()

    @property
    def places(self) -> int:
        """Decimals that a cut-off is written with at least."""
        return scale_of(self.step)

    @property
    def changed(self) -> bool:
        """Does the file change?"""
        return self.after != self.before

    def write(self) -> None:
        """Replace the file whole, unless somebody else has changed it meanwhile."""
        try:
            if self.file.read_bytes() != self.before:
                self._refuse("has changed meanwhile; nothing was written")
            write_whole(self.file, self.after)
        except OSError as error:
            self._refuse(f"cannot be written: {error.strerror}")

    def plain(self) -> Plain:
        """Everything for machines."""
        from harken_rules.cutoffs import written

        scale, refused = self.scale, self.rows.refused
        return {
            "path": str(self.path),
            "decision": scale.decision.name,
            "file": scale.decision.place.file,
            "fact": scale.fact,
            "rows": self.rows.read,
            "refused": {
                "rows": refused.rows,
                "fields": dict(refused.fields.most_common()),
                "first": [str(fault) for fault in refused.first],
            },
            "notes": list(self.notes),
            "cut_offs": [
                {
                    "level": int(band),
                    "before": written(old, self.places),
                    "after": written(new, self.places),
                }
                for band, old, new in zip(scale.bands[1:], scale.cuts, self.found.cuts, strict=True)
            ],
            "levels": self.levels(),
            "diff": self.diff(),
            "failing_cases": [printing.failure_as_dict(one) for one in self.failures],
        }

    def levels(self) -> list[Plain]:
        """Of each level the wanted share, and share and complaint rate before and after."""
        after = self._after()
        total = self.rows.present.total() or 1
        levels = {level for level, _ in (*self.rows.present, *after)} | set(self.targets)
        return [
            {
                "level": level,
                "wanted": self.targets.get(level or 0, 0.0),
                **{
                    when: sum(n for (at, _), n in counts.items() if at == level) / total
                    for when, counts in (("before", self.rows.present), ("after", after))
                },
                **{
                    f"complaint_rate_{when}": _rate(counts, level)
                    for when, counts in (("before", self.rows.present), ("after", after))
                },
            }
            for level in sorted(levels, key=lambda each: -(each or 0))
        ]

    def diff(self) -> str:
        """The change of the file as a unified diff."""
        name = self.scale.decision.place.file
        old, new = (
            each.decode("utf-8", "replace").splitlines(keepends=True)
            for each in (self.before, self.after)
        )
        return "".join(difflib.unified_diff(old, new, f"a/{name}", f"b/{name}"))

    def show(self, wrote: bool) -> None:
        """Everything for people."""
        from harken_rules.cutoffs import written
        from rich.box import SIMPLE
        from rich.console import Console
        from rich.table import Table

        console = Console(highlight=False)
        refused = self.rows.refused
        for note in self.notes:
            printing.say((f"{note}\n", ""))
        if refused.rows:
            printing.say((f"{refused.rows:,} rows cannot be used:\n", "yellow"))
            for fault in refused.first[:5]:
                printing.say((f"  {fault}\n", ""))
        table = Table(box=SIMPLE)
        for head in ("level", f"{self.scale.fact} from", "now", "wanted", "before", "after"):
            table.add_column(head, justify="right")
        rates = any(
            row[f"complaint_rate_{w}"] is not None
            for row in self.levels()
            for w in ("before", "after")
        )
        for head in ("complaints before", "after") if rates else ():
            table.add_column(head, justify="right")
        cuts = dict(
            zip(
                map(int, self.scale.bands[1:]),
                zip(self.scale.cuts, self.found.cuts, strict=True),
                strict=True,
            )
        )
        for row in self.levels():
            old, new = cuts.get(row["level"] or 0, (None, None))
            cells = [*(written(cut, self.places) if cut is not None else "" for cut in (old, new))]
            cells += [*(f"{row[k]:.2%}" for k in ("wanted", "before", "after"))]
            for when in ("before", "after") if rates else ():
                rate = row[f"complaint_rate_{when}"]
                cells.append("–" if rate is None else f"{rate:.2%}")
            table.add_row("none" if row["level"] is None else str(row["level"]), *cells)
        console.print(table)
        if not self.changed:
            printing.say(("The cut-offs are right as they are.\n", "bold green"))
        elif wrote:
            printing.say((f"{self.file}: written\n", "bold green"))
        else:
            printing.say((self.diff(), ""), ("Nothing is written without --write.\n", "bold"))
        if self.failures:
            printing.say((f"{fail_now(len(self.failures))}:\n\n", "bold yellow"))
            printing.failures(self.failures, self.path)

    def _recheck(self) -> list[CaseResult]:
        """The cases that fail in the base as it would be; refuses one that would be unsound."""
        from harken_rules import RuleEngine
        from harken_rules.cases import run_cases
        from harken_rules.loader import read_rule_base

        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "base"
            try:
                _copy(self.path, copy)
                (copy / self.scale.decision.place.file).write_bytes(self.after)
            except (OSError, shutil.Error) as error:
                self._refuse(f"the rule base cannot be copied to be checked: {error}")
            loaded = read_rule_base(copy)
        if loaded.base is None:
            first = next(each for each in loaded.diagnostics)
            self._refuse(f"would not be sound with these cut-offs: {first.message}")
        results = run_cases(loaded.base, loaded.cases, RuleEngine(loaded.base))
        return [one for one in results if not one.passed]

    def _after(self) -> Counter[tuple[int | None, bool | None]]:
        """Rows by (final level, outcome) under the new cut-offs."""
        from harken_rules.calibrate import grid_place

        places = [grid_place(cut, self.step, True) for cut in self.found.cuts]
        found: Counter[tuple[int | None, bool | None]] = Counter()
        for (place, profile, outcome), number in self.rows.rows.items():
            if place is None:
                found[self._of_missing(profile), outcome] += number
            else:
                found[profile[sum(place >= cut for cut in places)], outcome] += number
        return found

    def _of_missing(self, profile: tuple[int | None, ...]) -> int | None:
        """The level of a row whose number is missing, whatever the cut-offs."""
        unknown = self.scale.unknown
        return None if unknown is None else profile[unknown]

    def _refuse(self, why: str) -> NoReturn:
        refuse(f"{self.file}: {why}", self.path, self.as_json)


def _copy(path: Path, to: Path) -> None:
    """What belongs to the rule base: no hidden files, nor links that lead nowhere."""
    hidden = shutil.ignore_patterns(".*")
    shutil.copytree(path, to, ignore=hidden, ignore_dangling_symlinks=True)


def _rate(counts: Mapping[tuple[int | None, bool | None], int], level: int | None) -> float | None:
    yes, no = counts.get((level, True), 0), counts.get((level, False), 0)
    return yes / (yes + no) if yes + no else None


def _shares(text: str, path: Path, as_json: bool) -> list[float]:
    try:
        shares = [float(each) for each in text.split(",")]
    except ValueError:
        refuse(f"--shares is {text!r}; write numbers, as {SHARES}", path, as_json)
    # So written that NaN, which compares with nothing, is refused as well.
    if len(shares) < 2 or not (min(shares) >= 0 and abs(sum(shares) - 100) <= 0.01):
        total = sum(shares)
        refuse(f"--shares sum to {total:g}; write two or more, 100 in all", path, as_json)
    return [share / 100 for share in shares]


def _step(text: str, path: Path, as_json: bool) -> Decimal:
    try:
        step = Decimal(text)
    except InvalidOperation:
        step = Decimal(0)
    if not step.is_finite() or step <= 0:
        refuse(f"--step is {text!r}; write a number above 0, as 0.01", path, as_json)
    return step


def fail_now(number: int) -> str:
    """That so many cases fail by the new cut-offs, and why."""
    rest, fail = ("rests", "fails") if number == 1 else ("rest", "fail")
    cases = printing.count(number, "case")
    return f"{cases} of the rule base {rest} on other cut-offs and {fail} now"
