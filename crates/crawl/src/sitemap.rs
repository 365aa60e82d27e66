//! Site maps: the addresses in `<loc>`, and whether they are site maps themselves.

/// Site maps read of one site; an index may name many.
pub(crate) const SITEMAPS_MAX: usize = 1_000;

/// Addresses of one site map.
pub(crate) enum Sitemap {
    Index(Vec<String>),
    Pages(Vec<String>),
}

/// Reads a site map's addresses (sitemaps.org protocol). Anything else gives no address.
pub(crate) fn parse(text: &str) -> Sitemap {
    let locations = text
        .split("<loc>")
        .skip(1)
        .filter_map(|rest| rest.split_once("</loc>"))
        .map(|(location, _)| {
            let location = location.trim().trim_start_matches("<![CDATA[").trim_end_matches("]]>");
            location.replace("&amp;", "&")
        })
        .collect();
    if text.contains("<sitemapindex") { Sitemap::Index(locations) } else { Sitemap::Pages(locations) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_and_garbage() {
        match parse("<urlset><url><loc> http://a.cn/?x=1&amp;y=2 </loc></url><loc>cut") {
            Sitemap::Pages(pages) => assert_eq!(pages, ["http://a.cn/?x=1&y=2"]),
            Sitemap::Index(_) => panic!("not an index"),
        }
        assert!(
            matches!(parse("<sitemapindex><loc>http://a.cn/1.xml</loc>"), Sitemap::Index(list) if list.len() == 1)
        );
    }
}
