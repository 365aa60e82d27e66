#!/usr/bin/env python3
"""What a crawl on several machines costs: the same city alone, and with workers that meet at nats-server, all on
this machine. Seconds, CPU seconds and peak memory of each program.

    python3 benches/cluster.py [--program target/release/xunjian] [--sites 45] [--pages 200] [--workers 1 2]
"""

import argparse
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

PORT = 18741
NATS_PORT = 14741


def start(*command, folder):
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def ended(process):
    """Waits for a process: CPU seconds and peak memory in MB."""
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def stopped(process):
    process.send_signal(signal.SIGINT)
    return ended(process)


def crawl(program, folder, workers):
    data = folder / "data"
    shutil.rmtree(data, ignore_errors=True)
    shutil.rmtree(folder / "js", ignore_errors=True)
    alone = (folder / "alone.toml").read_text()
    cluster = f'\n[cluster]\nurl = "nats://127.0.0.1:{NATS_PORT}"\n' if workers else ""
    (folder / "xunjian.toml").write_text(alone + cluster)
    server = None
    if workers:
        arguments = ["-a", "127.0.0.1", "-p", str(NATS_PORT), "-js", "-sd", str(folder / "js")]
        server = start("nats-server", *arguments, folder=folder)
        time.sleep(1)
    running = [start(program, "worker", "--once", folder=folder) for _ in range(workers)]
    begun = time.monotonic()
    led = ended(start(program, "crawl", "--data", str(data), folder=folder))
    seconds = time.monotonic() - begun
    used = [("leads" if workers else "alone", *led)]
    used += [(f"worker {at + 1}", *ended(one)) for at, one in enumerate(running)]
    if server:
        used.append(("nats-server", *stopped(server)))
    return seconds, used


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--program", default="target/release/xunjian")
    arguments.add_argument("--sites", type=int, default=45)
    arguments.add_argument("--pages", type=int, default=200)
    arguments.add_argument("--workers", type=int, nargs="*", default=[1, 2])
    wanted = arguments.parse_args()
    program = str(Path(wanted.program).resolve())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        city = start(
            program, "city", "--seed", "7", "--sites", str(wanted.sites), "--pages", str(wanted.pages),
            "--port", str(PORT), "--config-out", "alone.toml", folder=folder,
        )
        try:
            while not (folder / "alone.toml").exists():
                time.sleep(0.2)
            time.sleep(1)
            config = (folder / "alone.toml").read_text().replace("[crawl]", "[crawl]\nsecond_look_share = 0")
            (folder / "alone.toml").write_text(config + '\n[render]\nbrowser = "off"\n')
            for workers in [0, *wanted.workers]:
                seconds, used = crawl(program, folder, workers)
                whole = sum(cpu for _, cpu, _ in used)
                print(f"{workers} workers: {seconds:.1f} s, {whole:.1f} CPU s in all", flush=True)
                for name, cpu, memory in used:
                    print(f"    {name:<12} {cpu:6.1f} CPU s {memory:6.0f} MB", flush=True)
        finally:
            city.kill()
            city.wait()


if __name__ == "__main__":
    main()
