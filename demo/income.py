"""Trains a fully connected network that tells who earns more than 50,000 dollars, recorded for the ACTIVIS tab.

    python demo/income.py --logdir demo-runs --data FOLDER
    tensorboard --logdir demo-runs

FOLDER holds UCI Adult, `adult_complete.csv`; without it the network learns scikit-learn's breast cancer data.
`people.py` has the tables, `dense_network.py` the model and the recording.
"""

import sys
import time
from pathlib import Path

import activis_tb
import people
from demo_folder import DemoFolder, ForeignFolderError, argument_parser, quiet_start

RUNS = ("dense",)


def main(arguments: list[str] | None = None) -> None:
    parser = argument_parser("Train a dense network on a table and record it for the ACTIVIS tab.", epochs=8)
    parser.add_argument(
        "--data", type=Path, help=f"folder with UCI Adult, {people.ADULT_FILE} (else breast cancer data)"
    )
    options = parser.parse_args(arguments)
    folder = DemoFolder(options.logdir, "income", RUNS)
    settings = {"epochs": options.epochs, "version": activis_tb.__version__}
    asked = settings if options.data is None else {**settings, "source": people.ADULT}
    if folder.is_complete(**asked) and not options.force:
        print(f"The income demo is already in {folder.path} (--force trains it again).")
        return
    try:
        found = people.breast_cancer() if options.data is None else people.read_adult(options.data)
        folder.start()
    except (OSError, ValueError, ForeignFolderError) as error:
        sys.exit(f"income: {error}")
    print(
        f"Training a dense network on {found.source}, {len(found.training.labels):,} instances, {options.epochs} "
        f"epochs; all {len(found.test.labels):,} test instances are recorded after every epoch. Less than a minute on "
        "two cores.",
        flush=True,
    )
    with quiet_start():
        from dense_network import train

    start = time.monotonic()
    train(folder.path / RUNS[0], found, options.epochs)
    folder.finish(source=found.source, **settings)
    print(f"Income: done in {time.monotonic() - start:.0f} s, in {folder.path}.")


if __name__ == "__main__":
    main()
