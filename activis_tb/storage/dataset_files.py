"""Where the side files of `keep="all"` are and what they are called.

Below the folder of the event file: `plugins/activis/<name>/<step>/<session>/part-00000/`, with

- `part.json`: format version, instances, neurons per layer, columns of `instances.parquet`;
- `instances.parquet`: `id, index, label, predicted, score`, and a column per class's score and per attribute (that of a
  number has another name where whole ones beyond 2^53 come; times are timestamps in UTC);
- per layer `layer-000.u8` (the codes, row-major), `.scales.npy` and `.tallies.npy`, in the snapshot's order.

Folders carry a name that is safe in every file system, files carry numbers; what the user called things is in the
snapshot's manifest alone. No name contains `tfevents`, so TensorBoard takes none of it for an event file.
"""

import re
import shutil
from contextlib import suppress
from pathlib import Path, PurePosixPath

from activis_tb.storage.events import is_labelled
from activis_tb.storage.metadata import PLUGIN_NAME, SnapshotTag
from activis_tb.storage.ownership import is_gone, owner

DATASET_VERSION = 2
"""The newest that is read; a part says the oldest that it needs: version 1 has no `whole_column`."""
MOST_ROWS = 65_536
"""Instances of one part at most: the sums of its codes and of their squares fit into 64 bits several times over."""
PART_FILE = "part.json"
INSTANCES_FILE = "instances.parquet"

_CLAIM = ".claim"
_ROOT = PurePosixPath("plugins", PLUGIN_NAME)
_STORE = re.compile(rf"{_ROOT}/[\w-]{{1,64}}/\d{{1,19}}/\d{{1,19}}", re.ASCII)


def store_of(tag: SnapshotTag) -> str:
    """Returns the folder of a dataset, relative to that of its event file, with forward slashes."""
    name = re.sub(r"[^\w-]+", "-", tag.name.lower(), flags=re.ASCII).replace("tfevents", "tf-events")[:64]
    return str(_ROOT / name / str(tag.step) / str(tag.session))


def is_store(store: str) -> bool:
    """Tells whether `store` is a folder that `store_of` gives, and so nowhere else."""
    return _STORE.fullmatch(store) is not None


def part_folder(number: int) -> str:
    """Returns the name of a part's folder."""
    return f"part-{number:05d}"


def layer_file(position: int, kind: str) -> str:
    """Returns the name of one of a layer's files; `kind` is `u8`, `scales.npy` or `tallies.npy`."""
    return f"layer-{position:03d}.{kind}"


def score_column(position: int) -> str:
    """Returns the name of the column with the scores of the class at `position`."""
    return f"score_of_{position}"


def attribute_column(position: int) -> str:
    """Returns the name of the column with the attribute at `position`."""
    return f"attribute_{position}"


def whole_column(position: int) -> str:
    """Returns the name of the column with the attribute at `position` where some whole number in it is no double."""
    return f"{attribute_column(position)}_whole"


def is_whole(column: str) -> bool:
    """Tells whether a column's name is one of `whole_column`."""
    return column.endswith("_whole")


def event_label(session: int) -> str:
    """Returns the label of the event file that points at the dataset of `session`."""
    return f"stored-{session}"


def claim_of(run_directory: Path, tag: SnapshotTag) -> Path:
    """Returns the file that claims a dataset's folder for this process: from before there is one until its event is.

    Its name says who writes, its content where: `store_of(tag)`.
    """
    return run_directory / f".activis-{owner()}-{tag.session}{_CLAIM}"


def remove_abandoned(run_directory: Path) -> None:
    """Removes the datasets of recordings that were killed before their event was written."""
    for claim in run_directory.glob(f".activis-*{_CLAIM}"):
        try:
            writer, _, session = claim.stem.removeprefix(".activis-").rpartition("-")
            if not is_gone(writer, claim.stat().st_mtime):
                continue
            store = claim.read_text(encoding="utf-8")
            if is_store(store) and not is_labelled(run_directory, event_label(int(session))):
                remove_dataset(run_directory / store, claim)
            claim.unlink(missing_ok=True)
        except (OSError, ValueError):
            continue


def remove_dataset(folder: Path, claim: Path) -> None:
    """Removes `folder`, its claim, and the folders around them that are empty then."""
    if not claim.exists():
        return
    shutil.rmtree(folder, ignore_errors=True)
    run_directory = claim.parent
    with suppress(OSError):
        for parent in folder.parents[: len(folder.relative_to(run_directory).parts) - 1]:
            parent.rmdir()
    with suppress(OSError):
        claim.unlink()
        run_directory.rmdir()
