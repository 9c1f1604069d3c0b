"""Trains a small convolutional network on handwritten digits in a loop of its own, recorded for the ACTIVIS tab.

    python demo/digits.py --logdir demo-runs
    tensorboard --logdir demo-runs

The digits are the 1,797 real ones that come with scikit-learn. `digit_cnn.py` holds the model and the recording.
"""

import sys
import time

import activis_tb
from demo_folder import DemoFolder, ForeignFolderError, argument_parser, quiet_start

RUNS = ("train", "validation")


def main(arguments: list[str] | None = None) -> None:
    options = argument_parser("Train a CNN on digits and record it for the ACTIVIS tab.", epochs=12).parse_args(
        arguments
    )
    folder = DemoFolder(options.logdir, "digits", RUNS)
    settings = {"epochs": options.epochs, "version": activis_tb.__version__}
    if folder.is_complete(**settings) and not options.force:
        print(f"The digits demo is already in {folder.path} (--force trains it again).")
        return
    try:
        folder.start()
    except (OSError, ForeignFolderError) as error:
        sys.exit(f"digits: {error}")
    print(
        f"Training a CNN on scikit-learn's handwritten digits, {options.epochs} epochs; a quarter of them is kept for "
        "validation and recorded after every epoch. A few seconds on two cores.",
        flush=True,
    )
    with quiet_start():
        from digit_cnn import train

    start = time.monotonic()
    train(folder.path, options.epochs)
    folder.finish(**settings)
    print(f"Digits: done in {time.monotonic() - start:.0f} s, in {folder.path}.")


if __name__ == "__main__":
    main()
