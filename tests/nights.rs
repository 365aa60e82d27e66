//! Nights that follow each other: the same fault stays the same finding, and an old store finds what a new one does.

#[path = "support/server.rs"]
mod server;
mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;
use server::{Reply, serve};
use support::World;
use xunjian_city::CityOptions;

/// A site whose pages have a word and a dead link in their footer, and a script of a stranger; more of them each night.
fn config(port: u16) -> String {
    format!(
        "data = \"xunjian-data\"\n[politeness]\nrequests_per_second = 0\naddress_requests_per_second = 0\n\
         [crawl]\nretry_pause_s = 0.1\nsecond_look_share = 0\n[render]\nbrowser = \"off\"\n[search]\nenabled = false\n\
         [scan]\nshipped_dictionaries = false\ndictionaries = [\"words.txt\"]\n\
         [network]\nallow_private = [\"127.0.0.0/8\"]\n[network.resolve]\n\"www.a.test\" = []\n\
         \"a.test\" = \"127.0.0.1:{port}\"\n\
         [[site]]\nid = \"a\"\nname = \"市水利局\"\nurl = \"http://a.test/\"\nkind = \"department\"\n"
    )
}

#[test]
fn a_fault_that_pages_repeat_stays_where_it_was_told() {
    const PAGES: [&str; 6] = [
        "/2026/11/10/article.html", "/2026/11/11/article.html", "/2026/11/9/article.html",
        "/2026/1/1/article.html", "/a.html", "/b.html",
    ];
    let published = Arc::new(AtomicUsize::new(2));
    let now = Arc::clone(&published);
    let server = serve(move |asked| {
        let there = &PAGES[..now.load(Ordering::SeqCst)];
        let links: String = there.iter().map(|page| format!("<a href={page}>文章</a>")).collect();
        match asked.path.as_str() {
            "/" => Reply::page("首页", &format!("<h1>首页</h1>{links}")),
            page if there.contains(&page) => Reply::page(
                "文章",
                &format!(
                    "<h1>文章</h1><p>{page} 的正文</p><div class=footer>违禁词 <a href=/gone.html>链接</a></div>\
                     <script src=http://x.stranger.test/a.js></script>"
                ),
            ),
            _ => Reply::missing(),
        }
    });
    let world = World::with_config(&config(server.port));
    world.write("words.txt", "违禁词\n".as_bytes());
    let found = || {
        let run = world.run(&["run", "--json"]);
        assert!(matches!(run.code, 0 | 3), "{}", run.stderr);
        let kinds = ["sensitive-word", "dead-link", "spam-injection"];
        let mut all: Vec<Value> = world.findings();
        all.retain(|one| kinds.iter().any(|kind| one["kind"] == *kind));
        all.sort_by_key(|one| one["kind"].to_string());
        let text = |one: &Value, key: &str| one[key].as_str().unwrap_or_default().to_owned();
        all.iter()
            .map(|one| (text(one, "kind"), text(one, "id"), text(one, "url"), text(one, "state")))
            .collect::<Vec<_>>()
    };
    let first = found();
    let kinds: Vec<&str> = first.iter().map(|(kind, ..)| kind.as_str()).collect();
    assert!(kinds.contains(&"sensitive-word") && kinds.contains(&"dead-link"), "{first:?}");
    // What a person has dismissed comes back under no other address.
    let (words, first): (Vec<_>, Vec<_>) = first.into_iter().partition(|(kind, ..)| kind == "sensitive-word");
    assert_eq!(world.run(&["findings", "dismiss", &words[0].1, "--by", "王芳", "--reason", "误报"]).code, 0);
    // Shorter addresses would have been the first to be told of, too.
    for pages in [3, 4, 5, 6] {
        published.store(pages, Ordering::SeqCst);
        let later = found();
        let places = |all: &[(String, String, String, String)]| {
            all.iter().map(|(kind, id, url, _)| format!("{kind} {id} {url}")).collect::<Vec<_>>()
        };
        assert_eq!(places(&later), places(&first), "{pages} pages");
        assert!(later.iter().all(|(.., state)| state == "open"), "{pages} pages: {later:?}");
    }
}

#[test]
fn an_old_store_finds_what_a_new_one_does() {
    let city = |day| CityOptions { seed: 2_002, sites: 9, pages: 40, day };
    let mut old = World::inspected(city(0));
    for day in [7, 120, 3] {
        old = old.next_day(city(day));
        assert!(matches!(old.run(&["run"]).code, 0 | 3));
        let new = World::inspected(city(day));
        let told = |world: &World| -> Vec<Value> {
            let mut all = world.comparable();
            all.iter_mut().for_each(|one| one["state"] = Value::Null);
            all
        };
        let (old, new) = (told(&old), told(&new));
        let surplus: Vec<_> = old.iter().filter(|one| !new.contains(one)).collect();
        let missing: Vec<_> = new.iter().filter(|one| !old.contains(one)).collect();
        assert!(surplus.is_empty() && missing.is_empty(), "day {day}: {surplus:#?} {missing:#?}");
    }
}
