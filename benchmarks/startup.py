"""What the plugin costs TensorBoard before anyone opens the tab: start-up time and memory, with and without it."""

import argparse
import tempfile
from pathlib import Path

from _report import Figure, report
from _tensorboard import start

ROUNDS = 7


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--logdir", type=Path, help="an empty folder by default")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    seconds: dict[bool, list[float]] = {True: [], False: []}
    megabytes: dict[bool, list[float]] = {True: [], False: []}
    with tempfile.TemporaryDirectory() as empty:
        logdir = options.logdir or Path(empty)
        for plugin in (True, False):
            with start(logdir, plugin=plugin):
                pass
        for _ in range(options.rounds):
            for plugin in (True, False):
                with start(logdir, plugin=plugin) as server:
                    seconds[plugin].append(server.seconds)
                    megabytes[plugin].append(server.process.memory_info().rss / 1e6)
    report(
        [
            Figure.of("start without the plugin, s", seconds[False], None),
            Figure.of("start with the plugin, s", seconds[True], None),
            Figure.of("added start-up time, s", differences(seconds), 0.3),
            Figure.of("memory without the plugin, MB", megabytes[False], None),
            Figure.of("memory with the plugin, MB", megabytes[True], None),
            Figure.of("added memory, MB", differences(megabytes), 20),
        ]
    )


def differences(samples: dict[bool, list[float]]) -> list[float]:
    return [with_plugin - without for with_plugin, without in zip(samples[True], samples[False], strict=True)]


if __name__ == "__main__":
    main()
