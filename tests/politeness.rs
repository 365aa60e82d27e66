//! The rates hosts and addresses see, measured at the server.

#[path = "support/programs.rs"]
mod programs;
#[path = "support/server.rs"]
mod server;
mod support;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use programs::{Running, jetstream};
use server::{Asked, Reply, broken, serve};
use support::{World, free_port};

const HOSTS: usize = 45;
const ADDRESSES: usize = 3;
const PAGES: usize = 4;
const RATE: usize = 4;
const ADDRESS_RATE: usize = 20;

fn answer(asked: &Asked) -> Reply {
    match asked.path.as_str() {
        "/" => {
            let links: String = (0..PAGES)
                .map(|at| format!("<a href=/p{at}.html>第{at}页</a><img src=/no{at}.png>"))
                .collect();
            // A redirect leads to another host, whose turn it has to wait for.
            let number: usize = asked.host[1..].split('.').next().and_then(|n| n.parse().ok()).unwrap_or(0);
            Reply::page(&asked.host, &format!("{links}<a href=/away/{}>别处</a>", (number + 7) % HOSTS))
        }
        path if path.starts_with("/p") => Reply::page(path, &format!("<h1>{path}</h1><p>内容</p>")),
        path => match path.strip_prefix("/away/") {
            Some(other) => Reply::redirect(&format!("http://h{other}.test/p0.html")),
            None => Reply::missing(),
        },
    }
}

/// All hosts on few addresses of a server.
fn hosts_at(port: u16) -> World {
    let mut config =
        "data = \"xunjian-data\"\n[network]\nallow_private = [\"127.0.0.0/8\"]\n[network.resolve]\n"
            .to_owned();
    for host in 0..HOSTS {
        config.push_str(&format!("\"h{host}.test\" = \"127.0.0.{}:{port}\"\n", 1 + host % ADDRESSES));
        config.push_str(&format!("\"www.h{host}.test\" = []\n"));
    }
    config.push_str(&format!(
        "[politeness]\nrequests_per_second = {RATE}\nconnections = 4\naddress_requests_per_second = {ADDRESS_RATE}\n[crawl]\nretry_pause_s = 0.2\n"
    ));
    for host in 0..HOSTS {
        config.push_str(&format!("[[site]]\nid = \"h{host}\"\nname = \"h{host}\"\nurl = \"http://h{host}.test/\"\nkind = \"department\"\n"));
    }
    World::with_config(&config)
}

/// Holds what the server saw against the limits; answers with the time they ask for.
fn held(asked: &[Asked]) -> Duration {
    let mut hosts: BTreeMap<String, Vec<Instant>> = BTreeMap::new();
    let mut addresses: BTreeMap<String, Vec<Instant>> = BTreeMap::new();
    for one in asked {
        hosts.entry(one.host.clone()).or_default().push(one.at);
        addresses.entry(one.address.to_string()).or_default().push(one.at);
    }
    assert_eq!((hosts.len(), addresses.len()), (HOSTS, ADDRESSES));
    for times in hosts.values_mut().chain(addresses.values_mut()) {
        times.sort_unstable();
    }
    for (host, times) in &hosts {
        assert!(times.len() >= PAGES * 2, "{host}: {}", times.len());
        let broken = broken(times, RATE);
        assert!(broken.is_empty(), "{host}: more than {RATE} requests in {broken:?}");
    }
    for (address, times) in &addresses {
        let broken = broken(times, ADDRESS_RATE);
        assert!(broken.is_empty(), "{address}: more than {ADDRESS_RATE} requests in {broken:?}");
    }
    let busiest = addresses.values().map(Vec::len).max().unwrap_or(0);
    Duration::from_secs_f64(busiest as f64 / ADDRESS_RATE as f64)
}

#[test]
fn no_host_and_no_address_sees_more_than_its_limit() {
    let server = serve(answer);
    let world = hosts_at(server.port);
    let begun = Instant::now();
    let ended = world.run(&["crawl", "--json"]);
    let took = begun.elapsed();
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    // And no slower than it has to be: the addresses' limit is what takes the time.
    let ideal = held(&server.asked());
    assert!(took < ideal.mul_f64(1.25) + Duration::from_secs(3), "{took:?}, ideal {ideal:?}");
}

#[test]
fn nor_do_they_of_a_crawl_and_the_monitor_beside_it() {
    let server = serve(answer);
    let world = hosts_at(server.port);
    world.configure(&format!("[serve]\nlisten = \"127.0.0.1:0\"\n{}", support::nightly_in(12)));
    let mut night = Running(world.start(&["run"]));
    while server.asked().len() < HOSTS {
        std::thread::sleep(Duration::from_millis(50));
    }
    night.0.kill().expect("killed");
    night.0.wait().expect("ended");
    // It goes on with the night and makes the monitor's first round at once.
    let _serving = Running(world.start(&["serve"]));
    let report = world.path("xunjian-data/report/summary.json");
    let deadline = Instant::now() + Duration::from_secs(120);
    while !report.exists() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(200));
    }
    assert!(report.exists(), "the night ended");
    let asked = server.asked();
    held(&asked);
    // A monitor's visit is one of its own: nothing else closes a connection to a site.
    let closing = |one: &&Asked| one.head.contains(&"connection: close".to_owned());
    assert_eq!(asked.iter().filter(closing).count(), HOSTS, "each site was visited");
}

#[test]
#[ignore = "needs nats-server, which tests/run.sh installs"]
fn nor_does_it_of_several_workers() {
    let server = serve(answer);
    let world = hosts_at(server.port);
    let port = free_port();
    let _server = jetstream(&world, "js", port);
    world.configure(&format!("[cluster]\nurl = \"nats://127.0.0.1:{port}\"\nlease_s = 3\n"));
    // One of them is killed and begun anew, as its hosts are by others.
    let workers: Vec<Running> = (0..4).map(|_| Running(world.start(&["worker"]))).collect();
    let mut killed = Running(world.start(&["worker"]));
    let begun = Instant::now();
    let mut collector = Running(world.start(&["crawl"]));
    while server.asked().len() < HOSTS * 3 {
        std::thread::sleep(Duration::from_millis(50));
    }
    killed.0.kill().expect("killed");
    let ended = collector.0.wait().expect("ended");
    let took = begun.elapsed();
    assert_eq!(ended.code(), Some(0));
    drop(workers);
    let ideal = held(&server.asked());
    // A lease has to end before another worker goes on; seven programs share the processors of the test.
    assert!(took < ideal.mul_f64(1.5) + Duration::from_secs(10), "{took:?}, ideal {ideal:?}");
}
