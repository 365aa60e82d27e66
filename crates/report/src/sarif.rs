//! SARIF 2.1.0, which code hosts and editors show: one rule a kind, one result a finding.

use std::collections::BTreeSet;
use std::ops::Range;

use serde_json::{Value, json};
use xunjian_model::{Kind, Severity};

/// One result: where, what, how severe.
#[derive(Clone, Debug)]
pub struct SarifResult<'r> {
    /// Kind of the finding: the rule.
    pub kind: Kind,
    /// Severity.
    pub severity: Severity,
    /// File or address.
    pub uri: &'r str,
    /// Line and column, from 1, in characters.
    pub place: Option<(usize, usize)>,
    /// Bytes of the file.
    pub bytes: Option<Range<usize>>,
    /// What a person reads.
    pub message: String,
}

/// The document; `zh` and `en` names of the kinds are in the rules.
pub fn sarif(results: &[SarifResult<'_>]) -> Value {
    let kinds: Vec<Kind> = results.iter().map(|one| one.kind).collect::<BTreeSet<_>>().into_iter().collect();
    let rules: Vec<Value> = kinds
        .iter()
        .map(|kind| {
            json!({
                "id": kind.as_str(),
                "shortDescription": { "text": kind.zh() },
                "fullDescription": { "text": kind.en() },
                "properties": { "indicator": kind.indicator() },
            })
        })
        .collect();
    let rows: Vec<Value> = results.iter().map(|one| row(one, &kinds)).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "xunjian",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "results": rows,
        }],
    })
}

fn row(one: &SarifResult<'_>, kinds: &[Kind]) -> Value {
    let mut place = json!({ "artifactLocation": { "uri": uri(one.uri) } });
    if let Some((line, column)) = one.place {
        place["region"] = json!({ "startLine": line, "startColumn": column });
    }
    if let Some(bytes) = &one.bytes {
        place["region"]["byteOffset"] = json!(bytes.start);
        place["region"]["byteLength"] = json!(bytes.len());
    }
    json!({
        "ruleId": one.kind.as_str(),
        "ruleIndex": kinds.iter().position(|kind| *kind == one.kind),
        "level": match one.severity {
            Severity::Serious => "error",
            Severity::Major | Severity::Minor => "warning",
            Severity::Info => "note",
        },
        "message": { "text": one.message },
        "locations": [{ "physicalLocation": place }],
    })
}

/// A file's name as an URI reference (RFC 3986): what is not allowed in one is escaped.
fn uri(name: &str) -> String {
    const KEPT: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'.')
        .remove(b'_')
        .remove(b'~')
        .remove(b'/')
        .remove(b':')
        .remove(b'?')
        .remove(b'&')
        .remove(b'=')
        .remove(b'%')
        .remove(b'+')
        .remove(b',')
        .remove(b'#')
        .remove(b'@');
    percent_encoding::utf8_percent_encode(name, KEPT).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_point_to_their_rules() {
        let result = |kind, uri| SarifResult {
            kind,
            severity: Severity::Minor,
            uri,
            place: Some((3, 4)),
            bytes: Some(20..26),
            message: "关健".to_owned(),
        };
        let document =
            sarif(&[result(Kind::Typo, "目录/a b.txt"), result(Kind::DeadLink, "http://a.gov.cn/x?y=1")]);
        let run = &document["runs"][0];
        for row in run["results"].as_array().expect("rows") {
            let rule = row["ruleIndex"].as_u64().expect("index") as usize;
            assert_eq!(run["tool"]["driver"]["rules"][rule]["id"], row["ruleId"]);
        }
        let location = &run["results"][0]["locations"][0]["physicalLocation"];
        assert_eq!(location["artifactLocation"]["uri"], "%E7%9B%AE%E5%BD%95/a%20b.txt");
        assert_eq!(location["region"]["startColumn"], 4);
        assert_eq!(location["region"]["byteLength"], 6);
    }

    /// The standard's own schema, which is no part of this repository: it lies in the source of the
    /// `serde-sarif` crate, where `tests/run.sh` looks for it.
    #[test]
    #[ignore = "needs the schema that tests/run.sh finds"]
    fn the_public_cases_of_sarif() {
        let file = std::env::var("SARIF_SCHEMA").expect("SARIF_SCHEMA names the file of the schema");
        let mut schema: Value =
            serde_json::from_slice(&std::fs::read(file).expect("readable")).expect("JSON");
        // Its pattern for languages has a bracket too many.
        for part in ["run", "toolComponent"] {
            let language = schema["definitions"][part]["properties"]["language"].as_object_mut();
            language.expect("an object").remove("pattern");
        }
        let validator = jsonschema::validator_for(&schema).expect("a schema");
        let all: Vec<SarifResult<'_>> = Kind::ALL
            .iter()
            .flat_map(|kind| Severity::ALL.map(|severity| (*kind, severity)))
            .map(|(kind, severity)| SarifResult {
                kind,
                severity,
                uri: "http://a.gov.cn/目录/a b.html?x=1#y",
                place: (severity != Severity::Info).then_some((1, 1)),
                bytes: (severity != Severity::Minor).then_some(0..6),
                message: "“关健”→关键\n".to_owned(),
            })
            .collect();
        for document in [sarif(&[]), sarif(&all)] {
            let faults: Vec<String> = validator
                .iter_errors(&document)
                .map(|fault| format!("{}: {fault}", fault.instance_path()))
                .collect();
            assert!(faults.is_empty(), "{faults:#?}");
        }
        assert!(validator.validate(&json!({ "version": "2.1.0" })).is_err(), "the schema asks for something");
    }
}
