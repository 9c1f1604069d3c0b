"""What recording costs: time on top of an evaluation, the accumulator alone, memory, disk, and how they grow."""

import argparse

from _overhead import measure, perceptron, word_cnn
from _report import Figure, report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instances", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    figures: list[Figure] = []
    figures += measure(word_cnn(options.instances), 256, options.rounds, "functions")
    figures += measure(word_cnn(options.instances), 256, options.rounds, "conditions")[1:]
    figures += measure(perceptron(options.instances), 256, options.rounds, "functions")
    report(figures)


if __name__ == "__main__":
    main()
