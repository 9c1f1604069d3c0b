"""Side files of `keep="all"` that were mutated: one file of a part, or the claims about it, by a fixed seed."""

import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from tests.fuzzing.events import Event

_JSON: tuple[bytes, ...] = (
    b"",
    b"null",
    b"[]",
    b"{}",
    b"[" * 100_000,
    b'{"a":' * 50_000,
    b"\xff\xfe",
    b'{"version": 1e999, "instances": 1}',
    b'{"version": 1, "instances": Infinity, "columns": [], "neurons": []}',
    b'{"version": 1, "instances": ' + b"9" * 5_000 + b"}",
)
_LIES: tuple[Any, ...] = (None, -1, 0, 1, 59, 61, 2**31, 2**62, 1e308, "1", [], {}, [4], [4, 3, 2], ["id"], True, [[]])


def mutate_store(folder: Path, event: Event, seed: int) -> str:
    """Mutates a run that keeps every instance and returns what was done: the same for the same seed.

    Args:
        folder: The run's, with one part in its store; a copy of its own.
        event: Of its snapshot.
        seed: Decides.
    """
    choices = random.Random(seed)
    if choices.random() < 0.1:
        return _point_elsewhere(folder, event, choices)
    part = folder / event.manifest.store / "part-00000"
    files = sorted(part.iterdir())
    path = choices.choice([*files, part / "instances.parquet", part / "instances.parquet", part / "part.json"])
    operation = choices.choice((*_ANY, *_BY_NAME.get(path.suffix, ()), *_BY_NAME.get(path.suffix, ())))
    return f"{path.name} {operation.__name__.strip('_')} {operation(path, choices)}"


def _point_elsewhere(folder: Path, event: Event, choices: random.Random) -> str:
    """Lets the manifest say that the files are somewhere else, or more."""
    changed = event.copy()
    store = event.manifest.store
    lie = choices.choice(
        ("..", "/etc", f"{store}/..", f"{store}/part-00000", f"../../{store}", "", store.upper(), store)
    )
    changed.manifest.store = lie
    changed.manifest.stored = choices.choice((event.manifest.stored, 0, 1, 2**62, -1, 59))
    for file in folder.glob("*tfevents*"):
        file.unlink()
    changed.write(folder)
    return f"store = {lie}, stored = {changed.manifest.stored}"


def _flip(path: Path, choices: random.Random) -> str:
    content = bytearray(path.read_bytes())
    flips = choices.choice((1, 1, 3, 30))
    for _ in range(flips if content else 0):
        content[choices.randrange(len(content))] ^= 1 << choices.randrange(8)
    path.write_bytes(content)
    return str(flips)


def _resize(path: Path, choices: random.Random) -> str:
    content = path.read_bytes()
    kind = choices.choice(("cut", "half", "longer", "double", "empty", "noise", "head"))
    changed = {"cut": content[:-1], "half": content[: len(content) // 2], "longer": content + b"\0"}
    changed |= {"double": content * 2, "empty": b"", "noise": choices.randbytes(len(content)), "head": content[:7]}
    path.write_bytes(changed[kind])
    return kind


def _replace(path: Path, choices: random.Random) -> str:
    """Puts something else in the place of the file."""
    kind = choices.choice(("nothing", "folder", "pipe", "link", "circle", "outside", "other"))
    other = choices.choice(sorted(path.parent.iterdir()))
    content = other.read_bytes()
    path.unlink()
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "link":
        path.symlink_to("/etc/passwd")
    elif kind == "circle":
        path.symlink_to(path)
    elif kind == "outside":
        outside = path.parents[6] / f"outside-{choices.randrange(10**9)}"
        outside.write_bytes(content)
        path.symlink_to(outside)
    elif kind == "other":
        path.write_bytes(content)
    return kind


def _archive(path: Path, choices: random.Random) -> str:
    with path.open("wb") as file:
        np.savez(file, values=np.zeros(choices.choice((0, 3, 10**5))))
    return "npz"


def _lie(path: Path, choices: random.Random) -> str:
    """Lies in the description of the part."""
    if choices.random() < 0.3:
        path.write_bytes(choices.choice(_JSON))
        return "other JSON"
    description = json.loads(path.read_text())
    key = choices.choice(sorted(description))
    value = choices.choice(_LIES)
    if choices.random() < 0.2:
        del description[key]
    else:
        description[key] = value
    path.write_text(json.dumps(description))
    return f"{key} = {value}"


def _array(path: Path, choices: random.Random) -> str:
    """Writes another array: of another type, shape or range, or with a header that lies."""
    array = np.load(path)
    kind = choices.choice(("type", "shape", "range", "header", "object", "order", "version"))
    if kind == "header":
        lie = choices.choice(("(1099511627776, 5, 4)", "(-1, 5, 4)", "()", "(2**70,)", "(((((((((((", "(1, 5, 4.5)"))
        dtype = choices.choice(("<u4", "<f8", "|O", "|V99999999", "|b1"))
        header = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {lie}}}"
        text = header.encode().ljust(117) + b"\n"
        path.write_bytes(b"\x93NUMPY\x01\x00\x76\x00" + text + array.tobytes())
        return lie
    if kind == "object":
        np.save(path, np.array([{}], object), allow_pickle=True)
    elif kind == "version":
        with path.open("wb") as file:
            np.lib.format.write_array(file, array, version=(2, 0))
    elif kind == "type":
        np.save(path, array.astype(choices.choice((np.float32, np.int64, np.uint8, np.complex64, "S4", np.float64))))
    elif kind == "shape":
        np.save(path, choices.choice((array.ravel(), array.T, array[:0], array[None], np.zeros((2, 2)))))
    elif kind == "order":
        np.save(path, np.asfortranarray(array))
    else:
        floats = (np.nan, np.inf, -1, 0, 1e308, 300, 0.5)
        hostile = choices.choice((0, 1, 255, 2**32 - 1) if array.dtype.kind == "u" else floats)
        array.flat[choices.randrange(array.size)] = hostile
        np.save(path, array)
    return kind


def _table(path: Path, choices: random.Random) -> str:
    """Writes another table: without a column, of other types, with values out of range, of other length."""
    target = path.with_suffix(".new")
    with duckdb.connect() as connection:
        source = f"(SELECT * FROM read_parquet('{path}'))"
        columns = [name for name, *_ in connection.execute(f"DESCRIBE {source}").fetchall()]
        column = choices.choice((*columns, "label", "predicted", "index", "id"))
        expressions = (
            *(f'CAST("{column}" AS VARCHAR)', f'hash("{column}")::UBIGINT', "NULL", "-1", "99", "1e300::DOUBLE"),
            *(
                "'x'",
                "2147483647",
                "(-9223372036854775807)::BIGINT",
                "[1, 2]",
                "DATE '2020-01-01'",
                "'\\xFF'::BLOB",
                "TRUE",
            ),
            *("{'a': 1}", "random()", "CASE WHEN random() < 0.1 THEN NULL ELSE 1 END", "repeat('x', 100000)"),
        )
        replaced = (f'* REPLACE ({one} AS "{column}")' for one in expressions)
        changed = choices.choice((*replaced, f'* EXCLUDE "{column}"', "*"))
        tail = choices.choice(("", "", "", "LIMIT 0", "LIMIT 7", "ORDER BY hash(id)", "CROSS JOIN range(2) t(n)"))
        connection.execute(f"COPY (SELECT {changed} FROM {source} {tail}) TO '{target}' (FORMAT parquet)")
    target.replace(path)
    return f"{changed} {tail}"


def _bomb(path: Path, choices: random.Random) -> str:
    """Writes a small table that is a large one once it is unpacked."""
    rows = choices.choice((60, 10**6))
    target = path.with_suffix(".new")
    with duckdb.connect() as connection:
        connection.execute(
            f"COPY (SELECT i::BIGINT AS index, repeat('x', 20000) AS id, 0 AS label, 0 AS predicted FROM range({rows}) "
            f"t(i)) TO '{target}' (FORMAT parquet, COMPRESSION zstd)"
        )
    target.replace(path)
    return f"{rows} rows"


_ANY: tuple[Callable[[Path, random.Random], str], ...] = (_flip, _flip, _resize, _replace)
_BY_NAME: dict[str, tuple[Callable[[Path, random.Random], str], ...]] = {
    ".json": (_lie, _lie),
    ".npy": (_array, _array, _archive),
    ".parquet": (_table, _table, _table, _table, _bomb),
    ".u8": (_archive,),
}
