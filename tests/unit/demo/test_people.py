"""The tables of the income demo: UCI Adult where it is at hand, breast cancer data otherwise."""

import csv
from pathlib import Path

import numpy as np
import pytest

import activis_tb
import income
import people
from demo_folder import DemoFolder
from dense_network import FEWEST, make_features, subsets_of
from people import CATEGORIES, CLASSES, NUMBERS, Table
from tests.data import ADULT, needed


def write_adult(directory: Path, rows: int = 400) -> None:
    """Writes a table of UCI Adult's columns: every category has three values, the oldest earn most."""
    with (directory / people.ADULT_FILE).open("w", newline="") as file:
        writer = csv.DictWriter(file, [*NUMBERS, *CATEGORIES, "income"])
        writer.writeheader()
        for row in range(rows):
            numbers = {name: row % 50 + at for at, name in enumerate(NUMBERS)}
            categories = {name: f"{name}-{(row + at) % 3}" for at, name in enumerate(CATEGORIES)}
            writer.writerow({**numbers, **categories, "income": CLASSES[row % 50 > 35]})


def test_adult_is_read_with_its_fourteen_attributes(tmp_path):
    write_adult(tmp_path)
    found = people.read_adult(tmp_path)
    assert (len(found.training.labels), len(found.test.labels)) == (320, 80)
    assert list(found.test.columns) == [*NUMBERS, *CATEGORIES]
    for table in (found.training, found.test):
        np.testing.assert_array_equal(table.labels, table.numbers["age"] > 35)
        assert set(table.categories["race"]) == {"race-0", "race-1", "race-2"}
    assert found.case_names[:2] == ("PhD, husband", "PhD, wife")
    assert found.cases.labels.tolist() == [1, 1, 1, 1, 0, 0]
    assert found.cases.categories["sex"].tolist() == ["Male", "Female"] * 2 + ["Male", "Female"]


def test_the_real_adult_has_more_than_sixty_subsets():
    found = people.read_adult(needed(ADULT))
    assert len(found.training.labels) + len(found.test.labels) == 30_162
    names = list(subsets_of(found.test))
    assert len(names) > 60
    assert {"education: Doctorate", "sex: Female", "age > 47"} <= set(names)


def test_every_frequent_category_and_every_part_of_a_number_is_a_subset():
    ages = np.arange(100.0)
    table = Table({"age": ages}, {"sex": np.where(ages < 60, "f", np.where(ages < 95, "m", "?"))}, ages > 50)
    assert FEWEST == 30
    assert subsets_of(table) == {
        "sex: f": "sex = 'f'",
        "sex: m": "sex = 'm'",
        "age <= 24": "age <= 24",
        "24 < age <= 49": "age > 24 AND age <= 49",
        "49 < age <= 74": "age > 49 AND age <= 74",
        "age > 74": "age > 74",
    }


def test_features_are_standardised_numbers_and_one_column_a_category():
    training = Table({"age": np.array([1.0, 3.0])}, {"sex": np.array(["m", "f"])}, np.array([0, 1]))
    other = Table({"age": np.array([5.0, 2.0])}, {"sex": np.array(["f", "?"])}, np.array([0, 1]))
    np.testing.assert_array_equal(make_features(training)(other), [[3, 1, 0], [0, 0, 0]])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "has no adult_complete.csv"),
        ("", "got no column at all"),
        ("age,income\n3,<=50K\n", "got no column capital_gain"),
        (",".join([*NUMBERS, *CATEGORIES, "income"]) + "\n" + "x," * 14 + "<=50K\n", "expected numbers in age"),
    ],
)
def test_what_is_not_adult_is_refused_by_name(tmp_path, content, message):
    if content is not None:
        (tmp_path / people.ADULT_FILE).write_text(content)
    with pytest.raises(SystemExit, match=message):
        income.main(["--logdir", str(tmp_path / "runs"), "--data", str(tmp_path)])


def test_a_second_call_of_the_demo_says_so_and_touches_nothing(tmp_path, capsys):
    folder = DemoFolder(tmp_path, "income", income.RUNS)
    folder.start()
    (folder.path / "dense").mkdir()
    folder.finish(epochs=8, version=activis_tb.__version__, source=people.ADULT)
    income.main(["--logdir", str(tmp_path)])
    income.main(["--logdir", str(tmp_path), "--data", str(tmp_path)])
    assert capsys.readouterr().out.count(f"already in {folder.path} (--force trains it again)") == 2
