"""Typing a condition over 5 million stored instances in real Chromium: how soon its count is there, how smooth it is.

A character comes every 100 ms. The field waits until nothing was typed for 150 ms before it asks, and that is part of
the time from the last character to the count; what was asked about an older text is given up.
"""

import argparse
from pathlib import Path

import _tensorboard
import numpy as np
from _chromium import browser, tab
from _report import Figure, report
from _stored import KEY, recorded, wait

PAUSE = 100
FRAME_SECONDS = 1 / 60
CONDITIONS = {
    "number": "number BETWEEN 0.2 AND 0.3 AND score > 0.{}",
    "text": "text ILIKE '%area {}?'",
    "text without repeats": "title ILIKE '%area {}?'",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instances", type=int, default=5_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="keeps the recording, or has it already")
    options = parser.parse_args()
    figures: list[Figure] = []
    with (
        recorded(options.instances, options.folder) as (logdir, _),
        browser() as chromium,
        _tensorboard.start(logdir) as server,
    ):
        wait(server.url)
        with tab(chromium, server.url, KEY["run"], ["hidden"], projection="pca") as (page, frame):
            frame.evaluate("probe.painted")
            first = type_(frame, "correct")["milliseconds"]
            # By then the attributes are summarised, once per snapshot.
            page.wait_for_timeout(15_000)
            frame.evaluate("probe.longTasks.length = 0")
            for name, text in CONDITIONS.items():
                figures += typing(frame, name, text, options.rounds)
            tasks = [task["duration"] for task in frame.evaluate("probe.longTasks")]
    report(
        [
            *figures,
            Figure("longest task while typing, ms", max(tasks, default=0.0), 50, "lower"),
            Figure("first condition of all, ms", first, None, "lower"),
        ]
    )


def typing(frame, name: str, text: str, rounds: int) -> list[Figure]:
    found = [type_(frame, text.format(round_)) for round_ in range(rounds)]
    refreshes = np.round(np.concatenate([one["frames"] for one in found]) / 1000 / FRAME_SECONDS)
    slow = float(np.percentile(refreshes, 95, method="higher")) * FRAME_SECONDS * 1000
    return [
        Figure.of(f"{name}: last character to count, ms", [one["milliseconds"] for one in found], 1_000),
        Figure(f"{name}: p95 frame while typing, ms", round(slow, 1), 16.7, "lower"),
    ]


def type_(frame, text: str) -> dict:
    return frame.evaluate("([text, pause]) => probe.type(text, pause)", [text, PAUSE])


if __name__ == "__main__":
    main()
