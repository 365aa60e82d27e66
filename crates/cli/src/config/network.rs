//! `[network]`: limits of the client, names, proxy, trust.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;

use toml::de::DeValue;
use xunjian_alert::Secret;
use xunjian_fetch::{AddressGuard, Cidr, FetchLimits, HostHeaders, Network, Override, Proxy};

use super::at_least;
use super::reader::{Source, Table};

/// Smallest buffer hyper reads a response head into.
const HEADER_BYTES_MIN: usize = 8_192;

pub(super) fn fetch_limits(network: &mut Table<'_, '_>, source: &mut Source<'_>) -> FetchLimits {
    let mut limits = FetchLimits::default();
    network.set(source, "user_agent", &mut limits.user_agent);
    for (key, field) in [
        ("connect_timeout_s", &mut limits.connect_timeout),
        ("first_byte_timeout_s", &mut limits.first_byte_timeout),
        ("idle_timeout_s", &mut limits.idle_timeout),
        ("total_timeout_s", &mut limits.total_timeout),
    ] {
        network.set(source, key, field);
        at_least(network, source, key, !field.is_zero(), "more than 0");
    }
    network.set(source, "body_bytes_max", &mut limits.body_bytes_max);
    at_least(network, source, "body_bytes_max", limits.body_bytes_max > 0, "1 or more");
    network.set(source, "large_body_bytes", &mut limits.large_body_bytes);
    network.set(source, "large_bodies_max", &mut limits.large_bodies_max);
    at_least(network, source, "large_bodies_max", limits.large_bodies_max > 0, "1 or more");
    network.set(source, "header_bytes_max", &mut limits.header_bytes_max);
    let enough = limits.header_bytes_max >= HEADER_BYTES_MIN;
    at_least(network, source, "header_bytes_max", enough, &format!("{HEADER_BYTES_MIN} or more"));
    network.set(source, "headers_max", &mut limits.headers_max);
    at_least(network, source, "headers_max", limits.headers_max > 0, "1 or more");
    network.set(source, "redirects_max", &mut limits.redirects_max);
    network.set(source, "idle_connections_max", &mut limits.idle_connections_max);
    network.set(source, "connections_max", &mut limits.connections_max);
    at_least(network, source, "connections_max", limits.connections_max > 0, "1 or more");
    network.set(source, "idle_connection_timeout_s", &mut limits.idle_connection_timeout);
    limits
}

/// Everything a client is built of but the authority, which is a file, and the hosts of the register.
/// `with_secrets`: secrets in headers have to be there; otherwise a header without its secret is left out.
pub(super) fn network(
    table: &mut Table<'_, '_>,
    source: &mut Source<'_>,
    folder: &Path,
    with_secrets: bool,
) -> Network {
    let headers = headers(table, source, folder, with_secrets);
    let (guard, resolve) = (guard(table, source), resolve(table, source));
    let proxy = table.parse::<Proxy>(source, "proxy");
    let except: Vec<String> = table.get(source, "no_proxy").unwrap_or_default();
    let servers: Vec<String> = table.get(source, "name_servers").unwrap_or_default();
    let at = table.value("name_servers").map_or(0, |value| value.span().start);
    let mut name_servers = Vec::new();
    for text in servers {
        let socket = text.parse().or_else(|_| text.parse().map(|address| SocketAddr::new(address, 53)));
        match socket {
            Ok(socket) => name_servers.push(socket),
            Err(_) => source.fault(
                at,
                format!(
                    "`network.name_servers`: {text:?} is not an address: write 192.0.2.53 or 192.0.2.53:5353"
                ),
            ),
        }
    }
    let proxy = proxy.map(|proxy| proxy.except(&except));
    Network { resolve, guard, name_servers, proxy, headers, ..Network::default() }
}

fn guard(network: &mut Table<'_, '_>, source: &mut Source<'_>) -> AddressGuard {
    let texts: Vec<String> = network.get(source, "allow_private").unwrap_or_default();
    let at = network.value("allow_private").map_or(0, |value| value.span().start);
    let mut allowed = Vec::new();
    for text in texts {
        match text.parse::<Cidr>() {
            Ok(network) => allowed.push(network),
            Err(error) => source.fault(at, format!("`network.allow_private`: {error}")),
        }
    }
    AddressGuard::new(allowed)
}

fn resolve(network: &mut Table<'_, '_>, source: &mut Source<'_>) -> HashMap<String, Vec<Override>> {
    let mut resolve = HashMap::new();
    let Some(value) = network.value("resolve") else { return resolve };
    let Some(table) = value.get_ref().as_table() else {
        source.fault(value.span().start, "`network.resolve` must be a table of host = \"address\"");
        return resolve;
    };
    for (host, value) in table {
        let texts: Vec<&str> = match value.get_ref() {
            DeValue::String(text) => vec![text],
            DeValue::Array(array) => array.iter().filter_map(|one| one.get_ref().as_str()).collect(),
            _ => {
                source.fault(
                    value.span().start,
                    format!(
                        "`network.resolve`: {:?} needs an address or a list of addresses",
                        host.get_ref()
                    ),
                );
                continue;
            }
        };
        let mut addresses = Vec::new();
        for text in texts {
            match text.parse() {
                Ok(address) => addresses.push(address),
                Err(error) => source.fault(value.span().start, format!("`network.resolve`: {error}")),
            }
        }
        resolve.insert(host.get_ref().to_ascii_lowercase(), addresses);
    }
    resolve
}

fn headers(
    network: &mut Table<'_, '_>,
    source: &mut Source<'_>,
    folder: &Path,
    with_secrets: bool,
) -> HostHeaders {
    let mut all = HostHeaders::default();
    let Some(value) = network.value("headers") else { return all };
    let mut fault = |at: usize, reason: String| source.fault(at, format!("`network.headers`: {reason}"));
    let like = "write it like \"www.a.gov.cn\" = { X-Inspection = \"env:NAME\" }";
    let Some(table) = value.get_ref().as_table() else {
        fault(value.span().start, format!("must be a table of hosts; {like}"));
        return all;
    };
    for (host, value) in table {
        let Some(headers) = value.get_ref().as_table() else {
            fault(value.span().start, format!("{:?} needs a table of headers; {like}", host.get_ref()));
            continue;
        };
        for (name, value) in headers {
            let (at, name) = (value.span().start, name.get_ref());
            let Some(text) = value.get_ref().as_str() else {
                fault(at, format!("{name:?} needs a text; {like}"));
                continue;
            };
            match Secret::read(text, folder) {
                Ok(secret) => {
                    if let Err(error) = all.add(host.get_ref(), name, secret.reveal()) {
                        fault(at, format!("{name:?} {error}"));
                    }
                }
                Err(error) if with_secrets => fault(at, error.to_string()),
                Err(_) => {}
            }
        }
    }
    all
}
