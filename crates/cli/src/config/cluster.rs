//! `[cluster]`: the machines that crawl.

use std::path::Path;
use std::time::Duration;

use xunjian_alert::Secret;
use xunjian_engine::Cluster;

use super::at_least;
use super::reader::{Source, Table};

/// Longest lease; a worker that ended holds its shares up so long.
const LEASE_MAX: Duration = Duration::from_secs(3_600);
/// Shortest one: renewals have to come through in time.
const LEASE_MIN: Duration = Duration::from_secs(3);
/// Least bytes of the log: several of the largest batches.
const LOG_BYTES_MIN: u64 = 64 << 20;

/// Reads it; `None` where there is no such section. `with_secrets`: the token is read, and has to be there.
pub(super) fn cluster(
    table: &mut Table<'_, '_>,
    source: &mut Source<'_>,
    folder: &Path,
    with_secrets: bool,
) -> Option<Cluster> {
    let mut cluster = Cluster::default();
    let url: Option<String> = table.get(source, "url");
    let token: Option<String> = table.get(source, "token");
    let ca_file: Option<String> = table.get(source, "ca_file");
    let name: Option<String> = table.get(source, "name");
    let mut replicas = cluster.replicas as u64;
    table.set(source, "replicas", &mut replicas);
    at_least(table, source, "replicas", matches!(replicas, 1 | 3 | 5), "1, 3 or 5");
    cluster.replicas = replicas as usize;
    table.set(source, "lease_s", &mut cluster.lease);
    let lease = (LEASE_MIN..=LEASE_MAX).contains(&cluster.lease);
    at_least(table, source, "lease_s", lease, "between 3 and 3600");
    table.set(source, "log_bytes_max", &mut cluster.log_bytes_max);
    let enough = cluster.log_bytes_max >= LOG_BYTES_MIN;
    at_least(table, source, "log_bytes_max", enough, &format!("{LOG_BYTES_MIN} or more"));
    table.set(source, "shares_max", &mut cluster.shares_max);
    at_least(table, source, "shares_max", cluster.shares_max > 0, "1 or more");
    let given = [&token, &ca_file, &name].iter().any(|text| text.is_some());
    let Some(url) = url else {
        if given {
            let at = [&table.value("name"), &table.value("token"), &table.value("ca_file")];
            let at = at.into_iter().flatten().map(|value| value.span().start).min();
            source.fault(at.unwrap_or(0), "`cluster.url`: is missing: like \"nats://127.0.0.1:4222\"");
        }
        return None;
    };
    let mut fault = |key: &'static str, reason: &str| {
        let at = table.value(key).map_or(0, |value| value.span().start);
        source.fault(at, format!("`cluster.{key}`: {reason}"));
    };
    match Secret::read(&url, folder) {
        Ok(url) if is_nats(url.reveal()) => cluster.url = url.reveal().to_owned(),
        Ok(_) => fault(
            "url",
            "is no address of NATS: write it like \"nats://10.0.0.5:4222\" or \"tls://…\", several with commas between them",
        ),
        Err(error) if with_secrets => fault("url", &error.to_string()),
        Err(_) => {}
    }
    if let Some(token) = token.filter(|_| with_secrets) {
        match Secret::read(&token, folder) {
            Ok(token) => cluster.token = Some(token.reveal().to_owned()),
            Err(error) => fault("token", &error.to_string()),
        }
    }
    if let Some(file) = ca_file {
        let path = folder.join(file);
        match path.is_file() {
            true => cluster.ca_file = Some(path),
            false => fault("ca_file", &format!("{} is not there", path.display())),
        }
    }
    if let Some(name) = name {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        match !name.is_empty() && name.bytes().all(fits) {
            true => cluster.name = name,
            false => fault("name", "is made of letters, digits, - and _ alone"),
        }
    }
    Some(cluster)
}

/// Whether each of several addresses is one of NATS.
fn is_nats(text: &str) -> bool {
    text.split(',').all(|one| {
        let url = url::Url::parse(one.trim());
        url.is_ok_and(|url| matches!(url.scheme(), "nats" | "tls") && url.has_host())
    })
}
