"""The folder of a demo: trained once, kept when complete, never a stranger's."""

import json
import os
from pathlib import Path

import pytest

import activis_tb
import questions
from demo_folder import DemoFolder, ForeignFolderError, quiet_start


def trained(logdir: Path, *runs: str, **settings: object) -> DemoFolder:
    folder = DemoFolder(logdir, "questions", runs)
    folder.start()
    for run in runs:
        (folder.path / run).mkdir()
        (folder.path / run / "events").write_text("recorded")
    folder.finish(**settings)
    return folder


def test_a_folder_is_complete_for_the_settings_that_it_was_made_with(tmp_path):
    folder = trained(tmp_path, "a", "b", epochs=6, source="TREC")
    assert folder.is_complete(epochs=6)
    assert folder.is_complete(epochs=6, source="TREC")
    assert not folder.is_complete(epochs=2)
    assert not folder.is_complete(epochs=6, source="generated")


def test_a_folder_without_one_of_its_runs_is_not_complete(tmp_path):
    folder = trained(tmp_path, "a", "b")
    (folder.path / "b" / "events").unlink()
    (folder.path / "b").rmdir()
    assert not folder.is_complete()


def test_an_interrupted_training_is_not_complete(tmp_path):
    folder = trained(tmp_path, "a")
    folder.start()
    (folder.path / "a").mkdir()
    assert not folder.is_complete()


def test_starting_again_removes_the_runs_of_the_last_time_and_nothing_else(tmp_path):
    folder = trained(tmp_path, "a")
    (folder.path / "mine").mkdir()
    folder.start()
    assert sorted(path.name for path in folder.path.iterdir()) == ["demo.json", "mine"]


def test_a_folder_that_no_demo_made_is_refused_and_left_alone(tmp_path):
    run = tmp_path / "questions" / "dropout-0.5"
    run.mkdir(parents=True)
    (run / "precious").write_text("weights")
    with pytest.raises(ForeignFolderError, match="did not make; choose another --logdir"):
        DemoFolder(tmp_path, "questions", ("dropout-0.5",)).start()
    assert (run / "precious").read_text() == "weights"


@pytest.mark.parametrize("mark", ["", "[]", "{", "null"])
def test_a_damaged_mark_means_not_complete(tmp_path, mark):
    folder = trained(tmp_path, "a")
    (folder.path / "demo.json").write_text(mark)
    assert not folder.is_complete()


def test_a_second_call_of_the_demo_says_so_and_touches_nothing(tmp_path, capsys):
    folder = trained(tmp_path, *questions.DROPOUTS, epochs=6, version=activis_tb.__version__, source="TREC")
    questions.main(["--logdir", str(tmp_path)])
    assert f"already in {folder.path} (--force trains it again)" in capsys.readouterr().out
    assert (folder.path / "dropout-0.5" / "events").read_text() == "recorded"
    assert json.loads((folder.path / "demo.json").read_text())["source"] == "TREC"


@pytest.mark.parametrize("epochs", ["0", "-1", "many"])
def test_a_number_of_epochs_below_one_is_refused(tmp_path, epochs, capsys):
    with pytest.raises(SystemExit):
        questions.main(["--logdir", str(tmp_path), "--epochs", epochs])
    assert "--epochs" in capsys.readouterr().err


def test_start_up_notes_are_hidden_and_what_follows_is_not(capfd):
    with quiet_start():
        os.write(2, b"oneDNN custom operations are on\n")
    os.write(2, b"a real warning\n")
    assert capfd.readouterr().err == "a real warning\n"


def fail_to_import() -> None:
    with quiet_start():
        os.write(2, b"no such instruction\n")
        raise ImportError


def test_start_up_notes_are_shown_when_the_import_fails(capfd):
    with pytest.raises(ImportError):
        fail_to_import()
    assert capfd.readouterr().err == "no such instruction\n"
