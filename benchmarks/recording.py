"""What recording costs: time on top of an evaluation, the accumulator alone, memory and disk as the data grows."""

import argparse
import os
from dataclasses import replace

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import _accumulation
import _growth
import _overhead
from _report import Figure, report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instances", type=int, default=50_000, help="that are evaluated with and without recording")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sizes", type=int, nargs="+", default=[50_000, 500_000], help="add 5000000 for the long run")
    parser.add_argument("--parts", nargs="+", default=["accumulation", "growth", "overhead"])
    options = parser.parse_args()
    figures: list[Figure] = []
    if "accumulation" in options.parts:
        figures += _accumulation.measure(options.rounds)
    if "growth" in options.parts:
        figures += _growth.measure(options.sizes)
    if "overhead" in options.parts:
        words, pixels = _overhead.word_cnn(options.instances), _overhead.perceptron(options.instances)
        figures += _overhead.measure(words, 256, options.rounds, "functions")
        figures += _overhead.measure(words, 256, options.rounds, "conditions")[1:]
        figures += _overhead.measure(pixels, 256, options.rounds, "functions")
        classes_alone = replace(pixels, limits=pixels.limits[:0])
        figures += _overhead.measure(classes_alone, 256, options.rounds, "functions")[1:]
    report(figures)


if __name__ == "__main__":
    main()
