"""A disk that is full, or may not be written: said with the place and the way out, and nothing else is damaged."""

import errno
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.unit.recording.helpers import batch, read_snapshots, record

BATCH = batch([0, 1, 2], np.arange(6.0).reshape(3, 2))
FULL = """
import resource, signal, sys, numpy as np, activis_tb
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
recorder = activis_tb.preprocess(sys.argv[1], step=2, layers=["hidden"], classes=["ant", "bee"], keep=sys.argv[2])
recorder.process(labels=[0, 1] * 500, scores=[0.5] * 1000, activations={"hidden": np.ones((1000, 40))})
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
try:
    recorder.postprocess()
except OSError as error:
    print(error.errno, error, sep="\\n")
"""


def files(logdir: Path) -> dict[str, bytes]:
    return {str(path.relative_to(logdir)): path.read_bytes() for path in logdir.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("keep", "sentence"),
    [
        ("sample", "Cannot write to {}: File too large. Nothing of this recording is left there. Free space, mind"),
        ("all", "Cannot store every instance in {}/plugins/activis/validation/2/"),
    ],
)
def test_no_file_grows_beyond_what_the_system_allows(tmp_path: Path, keep: str, sentence: str) -> None:
    record(tmp_path, [BATCH], keep=keep, step=1)
    (tmp_path / "events.out.tfevents.1.user").write_bytes(b"the user's own")
    before = files(tmp_path)
    process = subprocess.run([sys.executable, "-c", FULL, tmp_path, keep], check=True, capture_output=True, text=True)
    number, message = process.stdout.splitlines()
    assert int(number) == errno.EFBIG
    assert sentence.format(tmp_path / "activis") in message
    assert "choose another log directory" in message
    assert files(tmp_path) == before
    assert [snapshot.manifest.step for snapshot in read_snapshots(tmp_path / "activis")] == [1]


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """A log directory with one snapshot, which this user may not write to."""
    record(tmp_path / "run", [BATCH], step=1)
    folder = tmp_path / "run" / "activis"
    folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    if os.access(folder, os.W_OK):
        pytest.skip("this user may write everywhere")
    yield tmp_path / "run"
    folder.chmod(stat.S_IRWXU)


@pytest.mark.parametrize("keep", ["sample", "all"])
def test_a_directory_that_may_only_be_read_is_named(read_only: Path, keep: str) -> None:
    before = files(read_only)
    with pytest.raises(PermissionError, match=rf"{read_only}/activis.*Permission denied.*choose another log directory"):
        record(read_only, [BATCH], keep=keep, step=2)
    assert files(read_only) == before


@pytest.mark.parametrize("keep", ["sample", "all"])
def test_a_write_that_is_not_permitted_is_named(tmp_path: Path, keep: str, monkeypatch: pytest.MonkeyPatch) -> None:
    record(tmp_path, [BATCH], step=1)
    before = files(tmp_path)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", refuse)
        with pytest.raises(PermissionError, match=rf"{tmp_path}/activis.*Permission denied.*another log directory"):
            record(tmp_path, [BATCH], keep=keep, step=2)
    assert files(tmp_path) == before
