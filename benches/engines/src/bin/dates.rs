//! `dates PAGE FILE...`: the date each file's page is taken to be of, `-` where it is not known, and last
//! the seconds that reading and telling took, without the disk and without what is made at the first page, which is
//! not counted.

use std::hint::black_box;
use std::time::Instant;

use xunjian_model::PageUrl;
use xunjian_page::{Limits, extract, page_date};

fn main() {
    let base = PageUrl::parse("http://page.invalid/").expect("an address");
    let pages: Vec<Vec<u8>> = std::env::args().skip(1).map(|file| std::fs::read(file).expect("a page")).collect();
    let date_of = |page: &Vec<u8>| page_date(&extract(page, Some("text/html; charset=utf-8"), &base, Limits::default()).dates);
    let (first, pages) = pages.split_first().expect("a page to begin with");
    black_box(date_of(first));
    let begun = Instant::now();
    let dates: Vec<_> = pages.iter().map(date_of).collect();
    let seconds = begun.elapsed().as_secs_f64();
    for date in dates {
        println!("{}", date.map_or("-".to_owned(), |date| date.to_string()));
    }
    println!("{seconds}");
}
