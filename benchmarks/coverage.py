"""How well estimates keep their word: the share of nominal 95 % intervals that hold the truth, by a subset's true size.

Beside it stand the share of the subsets for which nothing is claimed and the median width, in standard deviations of
the activations and, of counts, in true sizes. 1,000 of 100,000 instances are sampled, in equal and in uneven classes.
"""

import argparse

from _coverage import DESIGNS, SIZES, simulate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=2_000)
    options = parser.parse_args()
    for name, design in DESIGNS.items():
        tables = [simulate(design, size, options.replicates, seed=size) for size in SIZES]
        print(f"\n{name}: held, none, width; {options.replicates:,} subsets of each size")
        print(f"{'':18}" + "".join(f"{size:>20,}" for size in SIZES))
        for kind in tables[0]:
            cells = (f"{one.held:.3f} {one.refused:5.0%} {one.width:7.2f}" for one in (table[kind] for table in tables))
            print(f"{kind:18}" + "".join(f"{cell:>20}" for cell in cells), flush=True)


if __name__ == "__main__":
    main()
