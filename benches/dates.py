#!/usr/bin/env python3
"""Publication dates: htmldate beside ours, over htmldate's own evaluation pages, in one run.

    git clone https://github.com/adbar/htmldate; pip install htmldate
    (cd benches/engines && cargo +nightly build --release)
    python3 benches/dates.py HTMLDATE-CHECKOUT PATH-OF-THE-BINARY-dates [--differences]

Each page's address is not given to either: the pages alone have to tell. Both are started anew for each round, since
htmldate remembers what it has seen, and read a page that is not counted first. Of both the best round counts.
"""

import json
import subprocess
import sys
import time
from pathlib import Path

ROUNDS = 5


def theirs(files):
    """htmldate's dates as our program prints its own."""
    import logging

    from htmldate import find_date

    logging.disable(logging.CRITICAL)
    texts = [Path(file).read_bytes() for file in files]

    def date(text):
        try:
            return find_date(text.decode("utf-8", "replace"), original_date=True, extensive_search=True) or "-"
        except Exception:
            return "-"

    date(texts[0])
    begun = time.perf_counter()
    dates = [date(text) for text in texts[1:]]
    seconds = time.perf_counter() - begun
    print(*dates, seconds, sep="\n")


def best(command):
    """The dates, and the seconds of the best round."""
    rounds = []
    for _ in range(ROUNDS):
        *dates, seconds = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
        rounds.append((float(seconds), [None if date == "-" else date for date in dates]))
    return min(rounds)


def main():
    root, ours, rest = Path(sys.argv[1]) / "tests", sys.argv[2], sys.argv[3:]
    cases = json.loads((root / "eval_mediacloud_2020.json").read_text())
    find = lambda name: next(p for folder in ["eval", "cache", "test_set"] if (p := root / folder / name).exists())
    files = [str(find(case["file"])) for case in cases.values()]
    # Pages without a date have none to be found (NaN in the file).
    wanted = [case["date"] if isinstance(case["date"], str) else None for case in cases.values()]
    first = next(str(file) for file in sorted((root / "cache").glob("*.html")) if str(file) not in files)
    their_seconds, their_dates = best([sys.executable, __file__, "--theirs", first, *files])
    our_seconds, our_dates = best([ours, first, *files])

    print("| | right | wrong | none | ms a page |")
    print("|---|--:|--:|--:|--:|")
    for name, found, seconds in [("htmldate", their_dates, their_seconds), ("xunjian", our_dates, our_seconds)]:
        right = sum(a == b for a, b in zip(found, wanted))
        none = sum(a is None for a in found)
        print(f"| {name} | {right} | {len(wanted) - right - none} | {none} | {seconds / len(files) * 1e3:.3f} |")
    print(f"\nhtmldate takes {their_seconds / our_seconds:.0f} times as long")
    if "--differences" in rest:
        for url, case, date, a, b in zip(cases, cases.values(), wanted, their_dates, our_dates):
            if b != date:
                print(case["file"], date, "htmldate", a, "ours", b, url[:90])


if sys.argv[1] == "--theirs":
    theirs(sys.argv[2:])
else:
    main()
