#!/usr/bin/env bash
# Everything that has to hold: format, lints, licences, unit, documentation and whole-program
# tests, and real pages behind nginx. Installs what it needs (Debian, as root or through sudo).
set -euo pipefail
cd "$(dirname "$0")/.."

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

ensure() {
    local missing=()
    for package in "$@"; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
    done
    if [ "${#missing[@]}" -gt 0 ]; then
        echo "== installing ${missing[*]}"
        as_root apt-get update -qq
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
    fi
}

tools=target/warc-tools
receivers=target/receivers
suites=target/public-suites
# What the tests need beside a compiler.
prepare() {
    ensure chromium faketime nginx-light debian-handbook debian-reference-zh-cn libreoffice-help-zh-cn util-linux \
        mount wget python3-venv prometheus-alertmanager rsyslog nats-server openssl
    if [ ! -x "$tools/bin/wayback" ]; then
        python3 -m venv "$tools"
        "$tools/bin/pip" --quiet install warcio==1.8.1 pywb==2.10.0
    fi
    if [ ! -x "$receivers/bin/schemathesis" ]; then
        python3 -m venv "$receivers"
        "$receivers/bin/pip" --quiet install aiosmtpd==1.4.6 cloudevents==2.2.0 axe-core-python==0.1.0 schemathesis==4.32.5
    fi
    if [ ! -d "$suites/html5lib-1.1" ]; then
        # Its tests are in the source alone, which an old setuptools has to look at.
        python3 -m venv "$suites"
        "$suites/bin/pip" --quiet install "setuptools<70" wheel
        "$suites/bin/pip" --quiet download --no-deps --no-build-isolation --no-binary html5lib --dest "$suites" html5lib==1.1
        tar -xzf "$suites/html5lib-1.1.tar.gz" -C "$suites"
    fi
}

ensure gcc make
# It comes over the net, while the lints keep the processors busy.
prepare &
preparing=$!
for component in rustfmt clippy; do
    cargo "${component/rust/}" --version >/dev/null 2>&1 || rustup component add "$component"
done
# Not optimised and without what a debugger wants it is built sooner, and works for seconds all the same.
cargo deny --version >/dev/null 2>&1 || CARGO_PROFILE_DEV_DEBUG=0 cargo install --locked --debug cargo-deny

echo "== format"
cargo fmt --all --check
echo "== lints"
cargo clippy --workspace --all-targets --locked -- -D warnings
echo "== licences and sources"
cargo deny --all-features check bans licenses sources
echo "== build"
# As one: what is built alone wants every dependency anew, with fewer features.
cargo build --locked --workspace --bins --tests

# Where a package's source lies.
source_of() {
    cargo metadata --locked --format-version 1 | python3 -c 'import json, os, sys
print(next(os.path.dirname(one["manifest_path"]) for one in json.load(sys.stdin)["packages"] if one["name"] == sys.argv[1]))' "$1"
}
# What does not go by the clock.
others() {
    echo "== a hundred and twenty kills"
    cargo test --locked --workspace --test interrupted -- --ignored
    echo "== verdicts of ten cities"
    cargo test --locked --workspace --test judged -- --ignored
    echo "== documentation"
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked --quiet
    echo "== real pages"
    cargo test --locked --workspace --test real_pages -- --ignored
    echo "== public suites"
    HTML5LIB_TESTS="$PWD/$suites/html5lib-1.1/html5lib/tests/testdata" \
        URL_CASES="$(source_of url)/tests/urltestdata.json" SARIF_SCHEMA="$(source_of serde-sarif)/src/schema.json" \
        cargo test --locked --workspace --lib --test tree public_cases -- --ignored
    echo "== the archive in other tools"
    WARC_TOOLS="$PWD/$tools/bin" cargo test --locked --workspace --test warc_tools -- --ignored
    echo "== alerts and the interface at other software"
    RECEIVERS="$PWD/$receivers/bin" cargo test --locked --workspace --test receivers -- --ignored
    echo "== accuracy"
    target/debug/accuracy --from 1000 --count 2 --at-least 0.99
}

wait "$preparing"
echo "== tests"
# Most of them wait for servers and clocks, so there is a processor for the others, which are told when these are through.
others >target/others.log 2>&1 &
others=$!
trap 'kill "$others" 2>/dev/null || true' EXIT
cargo test --workspace --locked
wait "$others" || { cat target/others.log; exit 1; }
cat target/others.log
echo "== a crawl on several machines"
cargo test --locked --workspace --test cluster --test politeness -- --ignored
