//! What a site offers where a rule asks that it is there (D9, D13, D23, D24).

use jiff::civil::Date;
use xunjian_model::{Facts, Link, LinkKind, Offer, PageKind};

use crate::digest::Digest;

/// What one page offers, as bits in its digest, with the indicator that asks for it.
const OF_PAGES: [(u8, &str, &str); 4] =
    [(1, "D9", "form"), (2, "D9", "sample"), (4, "D13", "activity"), (8, "D13", "result")];

const FORMS: [&str; 7] = ["表格下载", "空表", "空白表", "申请表", "申请书", "登记表", "申报表"];
const SAMPLES: [&str; 6] = ["样表", "样本", "样例", "示范文本", "填写示例", "填表说明"];
const ACTIVITIES: [&str; 6] = ["征集", "征求意见", "调查", "在线访谈", "访谈", "意见稿"];
const RESULTS: [&str; 6] = ["结果", "反馈", "采纳", "实录", "回顾", "情况的公告"];

/// What the home page links to, by the link's whole text.
const OF_HOME: [(&str, &str, &[&str]); 3] = [
    (
        "D23",
        "catalogue",
        &["事项目录", "服务事项", "事项清单", "服务清单", "权责清单", "权力清单", "办事清单"],
    ),
    ("D24", "application", &["在线申请", "在线办理", "网上办理", "网上办事", "在线申办", "网上申报"]),
    ("D24", "registration", &["注册", "登录", "用户中心", "统一身份认证"]),
];
/// Longest text of a link that names a part of the site, in characters.
const NAME_CHARS_MAX: usize = 12;

fn any(words: &[&str], text: &str) -> bool {
    words.iter().any(|word| text.contains(word))
}

/// What a page offers, as bits. `guide`: it is a service guide.
pub(crate) fn of_page(facts: &Facts, guide: bool) -> u8 {
    let mut bits = 0;
    if guide {
        let files = facts.links.iter().filter(|link| link.kind == LinkKind::Attachment);
        for text in files.map(|link| facts.link_text(link)) {
            let sample = any(&SAMPLES, text);
            bits |= u8::from(sample) << 1 | u8::from(!sample && any(&FORMS, text));
        }
    } else if !matches!(facts.kind, PageKind::List | PageKind::Document) {
        let column = facts.label("ColumnName").unwrap_or_default();
        if any(&ACTIVITIES, column) || any(&ACTIVITIES, &facts.title) {
            bits |= 4 | u8::from(any(&RESULTS, &facts.title) || any(&RESULTS, column)) << 3;
        }
    }
    bits
}

/// What the pages of a site offer.
#[derive(Default)]
pub(crate) struct Offers([Option<(u64, String)>; OF_PAGES.len()]);

impl Offers {
    /// Takes a page; activities count from `begin` on.
    pub(crate) fn add(&mut self, url: &str, digest: &Digest, begin: Date) {
        if digest.offers == 0 {
            return;
        }
        let recent = xunjian_page::page_date(&digest.dates).is_some_and(|date| date >= begin);
        for (slot, (bit, indicator, _)) in self.0.iter_mut().zip(OF_PAGES) {
            if digest.offers & bit != 0 && (recent || indicator != "D13") {
                slot.get_or_insert_with(|| (0, url.to_owned())).0 += 1;
            }
        }
    }

    /// All that was found, with what the home page leads to.
    pub(crate) fn found(self, home: Option<&Facts>) -> Vec<Offer> {
        let offer = |indicator: &str, what: &str, count, url| Offer {
            indicator: indicator.to_owned(),
            what: what.to_owned(),
            count,
            url,
        };
        let pages = self.0.into_iter().zip(OF_PAGES);
        let of_pages = pages.filter_map(|(slot, (_, indicator, what))| {
            let (count, url) = slot?;
            Some(offer(indicator, what, count, url))
        });
        let links = home.map_or(&[][..], |home| &home.links);
        let of_home = OF_HOME.iter().filter_map(|(indicator, what, words)| {
            let text = |link: &&Link| home.map_or("", |home| home.link_text(link)).trim().to_owned();
            let named = |link: &&Link| {
                let text = text(link);
                text.chars().count() <= NAME_CHARS_MAX && any(words, &text)
            };
            let mut named = links.iter().filter(|link| link.kind == LinkKind::Page).filter(named);
            let first = named.next()?;
            Some(offer(indicator, what, 1 + named.count() as u64, first.url.clone()))
        });
        of_pages.chain(of_home).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use xunjian_model::PageUrl;

    fn facts(html: &str) -> Facts {
        let url = PageUrl::parse("http://www.a.gov.cn/1.html").expect("url");
        xunjian_page::extract(
            html.as_bytes(),
            Some("text/html; charset=utf-8"),
            &url,
            xunjian_page::Limits::default(),
        )
    }

    #[test]
    fn forms_and_samples_are_files_of_guides() {
        let both = facts(
            "<div class=main><h1>许可</h1><a href=/a.docx>申请表</a><a href=/b.docx>申请表样表</a></div>",
        );
        assert_eq!(of_page(&both, true), 3);
        assert_eq!(of_page(&both, false), 0, "no guide");
        let page = facts("<div class=main><h1>许可</h1><a href=/a.html>申请表</a></div>");
        assert_eq!(of_page(&page, true), 0, "no file");
        let sample = facts("<div class=main><h1>许可</h1><a href=/b.pdf>申请表填写示例</a></div>");
        assert_eq!(of_page(&sample, true), 2, "a sample is not the form");
    }

    #[test]
    fn activities_and_their_results() {
        let of = |title: &str| {
            of_page(
                &facts(&format!(
                    "<title>{title}</title><div class=main><h1>{title}</h1><p>正文，正文。</p></div>"
                )),
                false,
            )
        };
        assert_eq!(of("关于城市绿化规划的意见征集"), 4);
        assert_eq!(of("城市绿化规划意见征集结果"), 12);
        assert_eq!(of("全市旅游工作要点"), 0);
    }

    #[test]
    fn the_home_page_leads_to_catalogue_and_application() {
        let home = facts(
            "<a href=/q/>权责清单</a><a href=/w/>网上办事</a><a href=/u/>登录</a><a href=/n/1.html>市政务服务事项目录管理办法发布实施</a>",
        );
        let found: Vec<(String, u64)> =
            Offers::default().found(Some(&home)).into_iter().map(|one| (one.what, one.count)).collect();
        let one = |what: &str| (what.to_owned(), 1);
        assert_eq!(found, [one("catalogue"), one("application"), one("registration")]);
        assert!(Offers::default().found(Some(&facts("<a href=/>首页</a>"))).is_empty());
    }
}
