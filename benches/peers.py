#!/usr/bin/env python3
"""Crawlers side by side: each walks the same site behind nginx, one after the other.

Needs nginx, wget2, httrack (Debian), scrapy and linkchecker (PyPI), muffy and spider_cli
(cargo install), Debian's documentation packages, and a release build. Tools that are missing are
left out. The server has processor 0, the client processor 1. Prints a table.

    python3 benches/peers.py [--tools DIR]... [--rounds N]
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
RELEASE = HERE.parent / "target" / "release"
PORT = 8731
SECONDS_MAX = 240
HOME = f"http://127.0.0.1:{PORT}/"
PARTS = {
    "handbook": "/usr/share/doc/debian-handbook/html",
    "reference": "/usr/share/debian-reference",
    "help": "/usr/share/libreoffice/help",
}
STARTS = ["handbook/", "reference/index.zh-cn.html", "help/zh-CN/text/"]

SCRAPY = f"""
import scrapy
from scrapy.linkextractors import LinkExtractor

class Site(scrapy.Spider):
    name = "site"
    start_urls = ["{HOME}"]
    allowed_domains = ["127.0.0.1"]
    custom_settings = dict(LOG_LEVEL="ERROR", ROBOTSTXT_OBEY=False, CONCURRENT_REQUESTS=16,
                           CONCURRENT_REQUESTS_PER_DOMAIN=8, DOWNLOAD_DELAY=0, RETRY_ENABLED=False)
    # With `-a all=1` also for what ours asks for besides pages: pictures, styles, scripts, frames and files.
    def __init__(self, all=None):
        self.links = LinkExtractor()
        if all:
            tags = ("a", "area", "link", "img", "script", "iframe", "frame", "source", "embed")
            self.links = LinkExtractor(tags=tags, attrs=("href", "src"), deny_extensions=[])

    def parse(self, response):
        if isinstance(response, scrapy.http.HtmlResponse):
            for link in self.links.extract_links(response):
                yield scrapy.Request(link.url, callback=self.parse)
"""


def serve(folder):
    root = folder / "root"
    root.mkdir()
    for name, target in PARTS.items():
        if not Path(target).exists():
            sys.exit(f"{target} is missing: install debian-handbook, debian-reference-zh-cn, libreoffice-help-zh-cn")
        (root / name).symlink_to(target)
    links = "".join(f'<p><a href="{start}">{start}</a></p>' for start in STARTS)
    (root / "index.html").write_text(f"<html><title>docs</title>{links}</html>")
    log = folder / "access.log"
    (folder / "nginx.conf").write_text(f"""
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{ include /etc/nginx/mime.types; log_format short '$status $sent_http_content_type $uri';
access_log {log} short; client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2;
fastcgi_temp_path {folder}/t3; uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
keepalive_requests 1000000; server {{ listen 127.0.0.1:{PORT} reuseport; root {root}; autoindex on; }} }}
""")
    server = subprocess.Popen(["taskset", "-c", "0", "nginx", "-c", folder / "nginx.conf"], stderr=subprocess.DEVNULL)
    time.sleep(1)
    return server, log


def clients(folder):
    config = folder / "xunjian.toml"
    config.write_text(f"""data = "{folder}/data"
[network]
allow_private = ["127.0.0.0/8"]
[politeness]
requests_per_second = 0
connections = 8
address_requests_per_second = 0
[crawl]
outside = false
[[site]]
id = "docs"
name = "docs"
url = "{HOME}"
kind = "department"
""")
    script = folder / "spider.py"
    script.write_text(SCRAPY)
    urls = folder / "urls.txt"
    yield "xunjian crawl", [RELEASE / "xunjian", "--config", config, "--quiet", "crawl"]
    yield "floor (GET, tokenizer, zstd)", [RELEASE / "floor", urls]
    yield "wget2", ["wget2", "-q", "-r", "-l", "inf", "--no-robots", "--max-threads=8", "-P", folder / "wget2", HOME]
    yield "httrack", ["httrack", HOME, "-O", folder / "httrack", "-q", "-c8", "-%c1000", "-A1000000000", "-s0", "-%!"]
    yield "muffy", ["muffy", "check-site", HOME]
    yield "spider_cli", ["spider", "-u", HOME, "crawl"]
    yield "scrapy", ["scrapy", "runspider", script]
    cache = ["-s", "HTTPCACHE_ENABLED=1", "-s", "HTTPCACHE_GZIP=1", "-s", f"HTTPCACHE_DIR={folder}/cache"]
    yield "scrapy, keeping pages packed", ["scrapy", "runspider", script, *cache]
    same = ["-a", "all=1"]
    yield "scrapy, asking for the same", ["scrapy", "runspider", script, *same]
    yield "scrapy, asking for the same and keeping it packed", ["scrapy", "runspider", script, *same, *cache]
    yield "linkchecker", ["linkchecker", "-q", "-t", "8", "--no-status", HOME]


def measure(command):
    """CPU seconds, peak memory in MB and seconds of a command and its children."""
    begun = time.monotonic()
    # A client that does not come to an end is stopped, and shows by its pages that it was.
    child = subprocess.Popen(["timeout", str(SECONDS_MAX), "taskset", "-c", "1", *map(str, command)], stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    try:
        _, status, usage = os.wait4(child.pid, 0)
    except KeyboardInterrupt:
        child.kill()
        raise
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, time.monotonic() - begun


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tools", action="append", default=[], help="folder with further programs")
    parser.add_argument("--rounds", type=int, default=1)
    args = parser.parse_args()
    os.environ["PATH"] = ":".join([*args.tools, os.environ["PATH"]])
    folder = Path(tempfile.mkdtemp(prefix="peers-"))
    # The server's worker is another user.
    folder.chmod(0o755)
    server, log = serve(folder)
    rows = {}
    try:
        for _ in range(args.rounds):
            # Everybody begins with nothing.
            for kept in ["data", "wget2", "httrack"]:
                shutil.rmtree(folder / kept, ignore_errors=True)
            for name, command in clients(folder):
                shutil.rmtree(folder / "cache", ignore_errors=True)
                if not (shutil.which(str(command[0])) or Path(command[0]).exists()):
                    print(f"{name}: not installed", file=sys.stderr)
                    continue
                log.write_text("")
                os.system(f"kill -USR1 {(folder / 'nginx.pid').read_text().strip()}")
                time.sleep(0.2)
                cpu, memory, seconds = measure(command)
                time.sleep(0.2)
                lines = [line.split(" ", 2) for line in log.read_text().splitlines()]
                pages = {uri for status, kind, uri in lines if status == "200" and kind.startswith("text/html")}
                if name == "xunjian crawl":
                    (folder / "urls.txt").write_text("".join(f"http://127.0.0.1:{PORT}{uri}\n" for uri in sorted(pages)))
                row = (len(pages), len(lines), cpu, memory, seconds)
                if name not in rows or row[2] < rows[name][2]:
                    rows[name] = row
                print(f"{name}: {row}", file=sys.stderr)
    finally:
        server.terminate()
        shutil.rmtree(folder, ignore_errors=True)
    ours = rows["xunjian crawl"]
    rate = lambda row: row[0] / row[2] if row[2] else 0
    print("| client | HTML pages | requests | CPU s | pages/CPU s | ours is | peak MB | seconds |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|")
    for name, row in rows.items():
        ratio = rate(ours) / rate(row) if rate(row) else 0
        print(f"| {name} | {row[0]} | {row[1]} | {row[2]:.2f} | {rate(row):.0f} | {ratio:.2f}× | {row[3]:.0f} | {row[4]:.1f} |")


if __name__ == "__main__":
    main()
