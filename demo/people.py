"""Tables of numbers and categories to classify: UCI Adult where it is at hand, else scikit-learn's breast cancer data.

UCI Adult (Becker and Kohavi 1996, CC BY 4.0) is people of the US census of 1994 and whether they earned more than
50,000 dollars a year: six numbers and eight categories.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

SEED = 7
ADULT = "UCI Adult"
ADULT_FILE = "adult_complete.csv"
CLASSES = ("<=50K", ">50K")
NUMBERS = ("age", "fnlwgt", "education_num", "capital_gain", "capital_loss", "hr_per_week")
CATEGORIES = ("type_employer", "education", "marital", "occupation", "relationship", "race", "sex", "country")


@dataclass(frozen=True, eq=False)
class Table:
    """Instances with their classes.

    Attributes:
        numbers: By name, float64 (instances,).
        categories: By name, str (instances,).
        labels: Positions in the classes, int64 (instances,).
    """

    numbers: dict[str, np.ndarray]
    categories: dict[str, np.ndarray]
    labels: np.ndarray

    @property
    def columns(self) -> dict[str, np.ndarray]:
        """All attributes by name, the numbers first."""
        return {**self.numbers, **self.categories}

    def take(self, rows: np.ndarray) -> "Table":
        """Returns the instances at `rows`."""
        numbers = {name: values[rows] for name, values in self.numbers.items()}
        categories = {name: values[rows] for name, values in self.categories.items()}
        return Table(numbers, categories, self.labels[rows])


@dataclass(frozen=True, eq=False)
class People:
    """Tables to learn from and to be tested on, test cases and their names, the classes, and where all that is from."""

    training: Table
    test: Table
    cases: Table
    case_names: tuple[str, ...]
    classes: tuple[str, ...]
    source: str


def read_adult(directory: Path) -> People:
    """Returns UCI Adult from `adult_complete.csv` in `directory`, a fifth of it to be tested on.

    Raises:
        FileNotFoundError: It is not there.
        ValueError: It is something else.
    """
    path = directory / ADULT_FILE
    if not path.is_file():
        message = f"{directory} has no {ADULT_FILE}; expected the folder with it, or no --data at all."
        raise FileNotFoundError(message)
    with path.open(encoding="utf-8", newline="") as file:
        records = list(csv.DictReader(file))
    needed = {*NUMBERS, *CATEGORIES, "income"}
    if not records or (missing := sorted(needed - records[0].keys())):
        message = (
            f"{path}: got no column {', '.join(missing) if records else 'at all'}; expected a line of names first."
        )
        raise ValueError(message)
    return _split(_table(records), *_cases_of_adult(), CLASSES, ADULT)


def breast_cancer() -> People:
    """Returns the breast cancer data that comes with scikit-learn, a quarter of it to be tested on; numbers alone."""
    data = load_breast_cancer()
    numbers = {str(name): data.data[:, at] for at, name in enumerate(data.feature_names)}
    table = Table(numbers, {}, data.target.astype(np.int64))
    typical = [np.median(data.data[data.target == label], axis=0) for label in (0, 1)]
    medians = {name: np.array(column) for name, column in zip(numbers, np.transpose(typical), strict=True)}
    classes = tuple(map(str, data.target_names))
    names = tuple(f"median {name}" for name in classes)
    return _split(table, Table(medians, {}, np.arange(2)), names, classes, "scikit-learn's breast cancer data")


def _split(table: Table, cases: Table, names: tuple[str, ...], classes: tuple[str, ...], source: str) -> People:
    rows = np.arange(len(table.labels))
    training, test = train_test_split(rows, test_size=0.2, random_state=SEED, stratify=table.labels)
    return People(table.take(training), table.take(test), cases, names, classes, source)


def _table(records: list[dict[str, str]]) -> Table:
    try:
        labels = np.array([CLASSES.index(record["income"].strip(" .")) for record in records])
        numbers = {name: np.array([float(record[name]) for record in records]) for name in NUMBERS}
    except ValueError as error:
        message = f"{ADULT_FILE}: {error}; expected numbers in {', '.join(NUMBERS)}, and income <=50K or >50K."
        raise ValueError(message) from error
    return Table(numbers, {name: np.array([record[name] for record in records]) for name in CATEGORIES}, labels)


def _cases_of_adult() -> tuple[Table, tuple[str, ...]]:
    """A doctor of philosophy, married or not, of either sex, and two at the start of their work; and their names."""
    person = {
        "age": "48",
        "type_employer": "Private",
        "fnlwgt": "180000",
        "education": "Doctorate",
        "education_num": "16",
        "marital": "Married-civ-spouse",
        "occupation": "Prof-specialty",
        "relationship": "Husband",
        "race": "White",
        "sex": "Male",
        "capital_gain": "0",
        "capital_loss": "0",
        "hr_per_week": "55",
        "country": "United-States",
        "income": ">50K",
    }
    alone = {"marital": "Never-married", "relationship": "Not-in-family"}
    student = {"age": "19", "education": "Some-college", "education_num": "10", "hr_per_week": "15", "income": "<=50K"}
    clerk = {"age": "24", "education": "HS-grad", "education_num": "9", "occupation": "Adm-clerical", "income": "<=50K"}
    cases = {
        "PhD, husband": person,
        "PhD, wife": person | {"sex": "Female", "relationship": "Wife"},
        "PhD, single man": person | alone,
        "PhD, single woman": person | alone | {"sex": "Female"},
        "student, 15 h a week": person | alone | student | {"occupation": "Other-service"},
        "young clerk": person | alone | clerk | {"sex": "Female"},
    }
    return _table(list(cases.values())), tuple(cases)
