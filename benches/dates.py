#!/usr/bin/env python3
"""Publication dates: htmldate beside ours, over htmldate's own evaluation pages, in one run.

    git clone https://github.com/adbar/htmldate; pip install htmldate
    (cd benches/engines && cargo +nightly build --release)
    python3 benches/dates.py HTMLDATE-CHECKOUT PATH-OF-THE-BINARY-dates [--differences]

Each page's address is not given to either: the pages alone have to tell.
"""

import json
import subprocess
import sys
import time
from pathlib import Path


def main():
    root, ours, rest = Path(sys.argv[1]) / "tests", sys.argv[2], sys.argv[3:]
    import logging

    from htmldate import find_date

    logging.disable(logging.CRITICAL)
    cases = json.loads((root / "eval_mediacloud_2020.json").read_text())
    find = lambda name: next(p for folder in ["eval", "cache", "test_set"] if (p := root / folder / name).exists())
    files = [find(case["file"]) for case in cases.values()]
    # Pages without a date have none to be found (NaN in the file).
    wanted = [case["date"] if isinstance(case["date"], str) else None for case in cases.values()]
    texts = [file.read_bytes() for file in files]

    begun = time.perf_counter()
    theirs = []
    for text in texts:
        try:
            theirs.append(find_date(text.decode("utf-8", "replace"), original_date=True, extensive_search=True))
        except Exception:
            theirs.append(None)
    their_seconds = time.perf_counter() - begun

    answer = subprocess.run([ours, *map(str, files)], capture_output=True, text=True, check=True).stdout.splitlines()
    our_seconds = float(answer.pop())
    ours = [line if line != "-" else None for line in answer]

    print("| | right | wrong | none | ms a page |")
    print("|---|--:|--:|--:|--:|")
    for name, found, seconds in [("htmldate", theirs, their_seconds), ("xunjian", ours, our_seconds)]:
        right = sum(a == b for a, b in zip(found, wanted))
        none = sum(a is None for a in found)
        print(f"| {name} | {right} | {len(wanted) - right - none} | {none} | {seconds / len(files) * 1e3:.3f} |")
    print(f"\nhtmldate takes {their_seconds / our_seconds:.0f} times as long")
    if "--differences" in rest:
        for url, case, date, a, b in zip(cases, cases.values(), wanted, theirs, ours):
            if b != date:
                print(case["file"], date, "htmldate", a, "ours", b, url[:90])


main()
