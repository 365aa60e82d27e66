//! The loops that see every byte: bytes to facts, and text through the dictionaries.
#![allow(missing_docs, reason = "criterion's macros make undocumented functions")]

use std::fmt::Write as _;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use xunjian_dict::{Matcher, Place, Scratch, shipped};
use xunjian_model::PageUrl;
use xunjian_page::{Limits, extract};

/// An article of some 40 paragraphs with navigation and a list, as content systems write them.
fn page() -> String {
    let mut html = String::from(
        "<!DOCTYPE html><html><head><title>关于推进农田灌溉设施建设的通知_市水利局</title><meta name=\"PubDate\" content=\"2026-06-14 08:03\"></head><body><div class=\"nav\"><ul>",
    );
    for column in 0..20 {
        let _ = write!(html, "<li><a href=\"/list-{column}.html\">工作动态{column}</a></li>");
    }
    html.push_str(
        "</ul></div><div class=\"main\"><h1>关于推进农田灌溉设施建设的通知</h1><p>发布时间：2026-06-14</p>",
    );
    for at in 0..40 {
        let _ = write!(
            html,
            "<p>近日，市水利局认真组织第{at}批高标准农田验收，涉及{at}个项目，<b>切实</b>减轻基层负担，为经济平稳运行提供支撑。</p>"
        );
    }
    html.push_str("<ul>");
    for at in 0..15 {
        let _ = write!(
            html,
            "<li><a href=\"/show-{at}.html\">河道治理任务取得新进展</a><span>2026-06-{:02}</span></li>",
            at + 1
        );
    }
    html.push_str("</ul></div></body></html>");
    html
}

fn benches(criterion: &mut Criterion) {
    let html = page();
    let base = PageUrl::parse("http://www.a.gov.cn/show-1.html").expect("address");
    let mut group = criterion.benchmark_group("page");
    group.throughput(Throughput::Bytes(html.len() as u64));
    group.bench_function("extract", |bencher| {
        bencher.iter(|| {
            extract(black_box(html.as_bytes()), Some("text/html; charset=utf-8"), &base, Limits::default())
        });
    });
    group.finish();

    let facts = extract(html.as_bytes(), None, &base, Limits::default());
    let text: String = facts.blocks.iter().map(|block| block.text.as_str()).collect();
    let matcher = Matcher::new(&shipped()).expect("compiles");
    let mut group = criterion.benchmark_group("dict");
    group.throughput(Throughput::Bytes(text.len() as u64));
    let mut scratch = Scratch::default();
    group.bench_function("fold and match", |bencher| {
        bencher.iter(|| matcher.find(black_box(&text), &Place::default(), &mut scratch).len());
    });
    group.finish();
}

criterion_group!(all, benches);
criterion_main!(all);
