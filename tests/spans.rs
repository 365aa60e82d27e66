//! What a collector of OpenTelemetry is told of a night.

#[path = "support/server.rs"]
mod server;
mod support;

use std::collections::BTreeMap;

use serde_json::Value;
use server::{Reply, serve};
use support::World;
use xunjian_city::CityOptions;

#[test]
fn each_step_of_a_night_reaches_the_collector() {
    let collector =
        serve(|_| Reply::Other("200 OK", "content-type: application/json\r\n".to_owned(), "{}".to_owned()));
    let world = World::with_city(CityOptions { seed: 31, sites: 3, pages: 20, day: 0 });
    let run = world
        .command(&["run", "--json"])
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://127.0.0.1:{}", collector.port))
        .output()
        .expect("runs");
    let summary: Value = serde_json::from_slice(&run.stdout).expect("a summary");
    let mut spans: BTreeMap<String, Value> = BTreeMap::new();
    for asked in collector.asked() {
        assert_eq!(asked.path, "/v1/traces");
        let document: Value = serde_json::from_slice(&asked.body).expect("JSON");
        let resource = &document["resourceSpans"][0];
        assert!(resource["resource"].to_string().contains("xunjian"), "{resource}");
        for scope in resource["scopeSpans"].as_array().expect("scopes") {
            for span in scope["spans"].as_array().expect("spans") {
                spans.insert(span["name"].as_str().expect("a name").to_owned(), span.clone());
            }
        }
    }
    let night = spans.get("night").unwrap_or_else(|| panic!("{spans:?}"));
    for step in ["crawl", "scan", "search", "judge", "report"] {
        let span = spans.get(step).unwrap_or_else(|| panic!("no span {step}: {:?}", spans.keys()));
        assert_eq!(span["traceId"], night["traceId"], "one trace a night");
        assert_eq!(span["parentSpanId"], night["spanId"], "{step} is part of the night");
    }
    let of = |step: &str, name: &str| -> Option<u64> {
        let all = spans[step]["attributes"].as_array()?;
        let value = &all.iter().find(|one| one["key"] == name)?["value"]["intValue"];
        value.as_u64().or_else(|| value.as_str()?.parse().ok())
    };
    assert_eq!(of("crawl", "requests"), summary["crawl"]["requests"].as_u64(), "{}", spans["crawl"]);
    assert!(of("scan", "findings") > Some(0), "{}", spans["scan"]);

    // A collector that is not there is no reason to fail, and without one nothing is sent.
    let asked = collector.asked().len();
    let alone = world
        .command(&["judge", "--json"])
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
        .output()
        .expect("runs");
    assert_eq!(alone.status.code(), Some(0), "{}", String::from_utf8_lossy(&alone.stderr));
    assert_eq!(world.run(&["judge", "--json"]).code, 0);
    assert_eq!(collector.asked().len(), asked);
}
