"""``harken serve --watch``: what becomes of the folder is served, if it is sound."""

from __future__ import annotations

import re
import shutil
import time
from pathlib import Path

import pytest
from harken_server.control_plane import begin_with
from harken_server.errors import PublishingError, SnapshotError
from harken_server.revisions import Store
from harken_server.settings import Settings
from harken_server.watching import Watcher, read_at_rest, state_of


@pytest.fixture(scope="module")
def folder(edited, tmp_path_factory):
    """What is watched: a link to the folder that holds the rule base."""
    home = tmp_path_factory.mktemp("watched")
    edited(home / "first", level=1)
    link = home / "rules"
    link.symlink_to("first")
    return link


@pytest.fixture(scope="module")
def desk(serve_for_all, desk_of, folder):
    return desk_of(serve_for_all("--rules", str(folder), "--watch", "--workers", "1"))


@pytest.fixture
def becomes(desk, wait_for):
    """Waits until a level is what is served."""

    def wait(level):
        wait_for(lambda: desk.score().level == level)
        wait_for(lambda: not desk.state().HasField("last_error"))

    return wait


def turn(link, target):
    """Have ``link`` lead elsewhere, without a moment in which it leads nowhere."""
    aside = link.with_name(".turning")
    aside.symlink_to(target)
    aside.replace(link)


def test_a_sound_change_is_served_and_on_record(desk, folder, relevel, becomes):
    relevel(folder, 3)
    becomes(3)
    state = desk.state()
    assert state.watched_folder == str(folder)
    assert state.active.source == state.active.SOURCE_WATCHED
    assert str(folder) in state.activation.message
    assert desk.score().rule_base_digest == state.active.digest
    assert desk.metric("harken_reloads_total") >= 1


def test_an_unsound_change_is_not_served_but_told_until_it_is_mended(
    desk, folder, relevel, becomes, wait_for
):
    relevel(folder, 2)
    becomes(2)
    failures = desk.metric("harken_reload_failures_total")
    file = folder / "decisions" / "level.yaml"
    sound = file.read_text()
    file.write_text(sound.replace("hit: first", "hit: furst"))
    error = wait_for(lambda: desk.state().HasField("last_error") and desk.state().last_error)
    assert re.search(r"decisions/level\.yaml:\d+:\d+", "".join(error.problems))
    assert "did you mean 'first'" in "".join(error.problems)
    assert desk.score().level == 2
    assert desk.metric("harken_reload_failures_total") == failures + 1
    assert "rule base not served" in desk.served.log.read_text()
    file.write_text(sound)  # what is served already is sound again, and no news
    wait_for(lambda: not desk.state().HasField("last_error"))
    assert desk.score().level == 2


def test_a_link_turned_to_another_folder_is_followed(desk, folder, edited, becomes):
    edited(folder.parent / "second", level=5)
    turn(folder, "second")
    becomes(5)


def test_a_folder_that_is_gone_is_told_and_one_that_comes_is_served(
    desk, folder, edited, becomes, wait_for
):
    before = desk.score().rule_base_digest
    folder.unlink()
    error = wait_for(lambda: desk.state().HasField("last_error") and desk.state().last_error)
    assert "No such file or directory" in error.problems[0]
    assert desk.score().rule_base_digest == before
    edited(folder, level=4)
    becomes(4)


def test_a_folder_of_links_as_kubernetes_mounts_it_is_followed(desk, folder, edited, becomes):
    def revision(level):
        made = edited(folder.parent / f"map-{level}", level=level)
        return made.rename(folder / f"..{level}")

    home = folder.with_name("mounted")
    home.mkdir()
    aside = folder.with_name("former")
    folder.rename(aside)
    home.rename(folder)
    kept = revision(2)
    (folder / "..data").symlink_to(kept.name)
    for name in ("facts.yaml", "rulebase.yaml", "decisions", "catalogue"):
        (folder / name).symlink_to(f"..data/{name}")
    becomes(2)
    turn(folder / "..data", revision(3).name)
    becomes(3)


def test_an_unsound_folder_does_not_keep_from_serving_what_was_served_last(control, tmp_path):
    store, vet = control.store, control.publisher._vet
    rules = tmp_path / "broken"
    rules.mkdir()
    (rules / "rulebase.yaml").write_text("error: broken\n")
    settings = Settings(rules=rules, watch=True)
    known = state_of(rules)
    assert begin_with(store, vet, settings, known) == store.active
    assert known != state_of(rules)  # so that it is looked at, and reported
    empty = Store(tmp_path / "empty")
    with pytest.raises(SnapshotError, match="broken"):
        begin_with(empty, vet, settings, known)
    empty.close()


def test_a_watcher_waits_until_a_folder_is_at_rest_and_tries_again_what_is_worth_it(
    tmp_path, base_path, monkeypatch
):
    rules = tmp_path / "rules"
    shutil.copytree(base_path, rules)
    monkeypatch.setattr("harken_server.watching.RETRY_SECONDS", 0.0)
    taken, again = [], [True, False]
    watcher = Watcher(rules, state_of(rules), lambda: taken.append(state_of(rules)) or again.pop(0))
    watcher.look()
    assert not taken
    busy = iter(range(3))

    def pause(_seconds):  # somebody still saves while we wait
        for number in busy:
            (rules / f"part{number}.yaml").write_text("x: 1\n")
            break

    monkeypatch.setattr(watcher._stopping, "wait", pause)
    (rules / "facts.yaml").touch()
    watcher.look()
    assert "part2.yaml" in taken[0]
    watcher.look()  # the same, for the first time it could not be served
    watcher.look()
    assert taken == [state_of(rules)] * 2


def test_files_are_read_of_one_moment(tmp_path, base_path, monkeypatch):
    rules = tmp_path / "rules"
    shutil.copytree(base_path, rules)
    changes = iter(["# first\n", "# second\n"])

    def read(folder):
        from harken_server.rule_files import read_files

        files = read_files(folder)
        with (rules / "facts.yaml").open("a") as file:
            file.write(next(changes, ""))
        return files

    monkeypatch.setattr("harken_server.watching.read_files", read)
    monkeypatch.setattr("harken_server.watching.SETTLE_SECONDS", 0.0)
    (facts,) = [file for file in read_at_rest(rules) if file.path == "facts.yaml"]
    assert facts.content.endswith(b"# first\n# second\n")


def test_a_folder_that_never_rests_is_given_up(tmp_path, base_path, monkeypatch):
    rules = tmp_path / "rules"
    shutil.copytree(base_path, rules)
    clock = iter(range(1000))
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    monkeypatch.setattr("harken_server.watching.SETTLE_SECONDS", 0.0)
    moments = iter(range(1000))
    monkeypatch.setattr("harken_server.watching.state_of", lambda _: {".": (next(moments),)})
    with pytest.raises(PublishingError, match="changes while it is read"):
        read_at_rest(rules)


def test_what_is_seen_of_a_folder(tmp_path):
    rules = tmp_path / "rules"
    rules.mkdir()
    assert state_of(tmp_path / "none") == {}
    first = state_of(rules)
    (rules / "a.yaml").write_text("1")
    (rules / ".hidden.yaml").write_text("1")
    (rules / "notes.txt").write_text("1")
    (rules / "loop").symlink_to(rules)
    (rules / "away.yaml").symlink_to("/etc/passwd")
    (rules / "lost.yaml").symlink_to("nowhere.yaml")
    seen = state_of(rules)
    assert set(seen) == {*first, "a.yaml", "loop", "away.yaml", "lost.yaml"} | {
        name for name in seen if name.startswith("loop/")
    }
    assert seen["away.yaml"][0] == "outside"
    assert seen["lost.yaml"][0] == "unreadable"
    (rules / "a.yaml").write_text("2")
    assert state_of(rules)["a.yaml"] != seen["a.yaml"]
    (rules / "notes.txt").rename(rules / "b.yaml")
    assert "b.yaml" in state_of(rules)
    assert Path(str(seen["."][0])) == rules
