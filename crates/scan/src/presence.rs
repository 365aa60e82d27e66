//! What a site has to have: columns, channels, services, entrance, a right domain (D1–D4, V5, V6,
//! D11, D14, D17).

use std::sync::LazyLock;

use regex::Regex;
use xunjian_model::{Facts, Kind, Link, Site, SiteKind, Zone};

use crate::ScanSetup;
use crate::columns::{Around, Column};
use crate::digest::{PageFinding, url_hash};

/// Columns every portal has to have, with the class that shows them.
const COLUMNS: [(&str, &str); 6] = [
    ("概况信息", "overview"),
    ("机构职能", "functions"),
    ("领导信息", "leaders"),
    ("动态要闻", "news"),
    ("政策文件", "policy"),
    ("政策解读", "interpretation"),
];
/// Names of columns for messages.
const MESSAGES: [&str; 8] = ["信箱", "咨询", "留言", "来信", "投诉", "建言", "问政", "互动"];
/// Longest name of a channel, in characters.
const CHANNEL_CHARS_MAX: usize = 8;
/// Channels that do not count.
const OTHER_CHANNELS: [&str; 4] = ["信访", "纪检", "举报", "监督"];

#[allow(clippy::unwrap_used, reason = "a constant pattern, compiled in every test")]
static STATISTICS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?:收到|受理|来信|留言|咨询|接收)[^。；]{0,16}?\d+\s*[件条封个][^。；]{0,20}?(?:办结|答复|回复|反馈|办理)[^。；]{0,10}?\d+",
    )
    .unwrap()
});

/// Whether a column is one of petitions or discipline, whose messages do not count.
pub(crate) fn is_other_channel(name: &str) -> bool {
    OTHER_CHANNELS.iter().any(|word| name.contains(word))
}

/// Whether a column is one for messages.
pub(crate) fn is_for_messages(name: &str) -> bool {
    MESSAGES.iter().any(|word| name.contains(word)) && !is_other_channel(name)
}

/// What the home page shows to be missing. `guides` are those the site's pages were found to be.
pub(crate) fn check(
    home: &Facts,
    columns: &[Column],
    guides: u64,
    site: &Site,
    setup: &ScanSetup,
) -> Vec<PageFinding> {
    let mut findings = Vec::new();
    let classes: Vec<Option<&str>> = columns.iter().map(|column| column.class(&setup.classes)).collect();
    if site.kind == SiteKind::Portal {
        for (name, class) in COLUMNS {
            if setup.classes.iter().any(|known| known.id == class) && !classes.contains(&Some(class)) {
                findings.push(
                    PageFinding::new(Kind::ColumnMissing, name, format!("⟦{name}⟧")).with("class", class),
                );
            }
        }
    }
    // A title may hold the words, too; a channel's name is short.
    let channel = |text: &str| text.chars().count() <= CHANNEL_CHARS_MAX && is_for_messages(text);
    let linked = home.links.iter().any(|link| channel(home.link_name(link)));
    if !linked && !columns.iter().any(|column| channel(&column.name)) {
        let finding = PageFinding::new(Kind::ChannelMissing, "", "");
        findings.push(finding.with("review", "no link of the home page leads to one"));
    }
    if guides == 0 && !site.no_service && !classes.contains(&Some("service")) {
        let finding = PageFinding::new(Kind::ServiceMissing, "", "");
        findings.push(finding.with("review", "no guide and no column of services was found"));
    }
    findings.extend(domain(site));
    findings.extend(entrance(home, site));
    findings
}

/// D14: `.gov.cn`, portals as `www.□□□.gov.cn`, departments below their government's name.
fn domain(site: &Site) -> Option<PageFinding> {
    let host = site.url.host();
    let labels: Vec<&str> = host.split('.').collect();
    let reason = match (&labels[..], site.kind) {
        (["www", _, "gov", "cn"], SiteKind::Portal) | ([_, _, "gov", "cn"], SiteKind::Department) => {
            return None;
        }
        ([_, _, _, .., "gov", "cn"], _) => return None,
        ([.., "gov", "cn"], SiteKind::Portal) => "a portal's name is www.□□□.gov.cn",
        ([.., "gov", "cn"], SiteKind::Department) => "a department's name is ○○○.□□□.gov.cn",
        _ => "not under .gov.cn",
    };
    Some(PageFinding::new(Kind::BadDomain, host, format!("⟦{host}⟧")).with("reason", reason))
}

/// The link to 我为政府网站找错.
fn entrance_link(home: &Facts) -> Option<&Link> {
    home.links.iter().find(|link| {
        link.url.to_ascii_lowercase().contains("jiucuo") || home.link_name(link).contains("网站找错")
    })
}

/// Whether a home page has that link.
pub(crate) fn has_entrance(home: &Facts) -> bool {
    entrance_link(home).is_some()
}

/// D17: the entrance 我为政府网站找错 with the right site code.
fn entrance(home: &Facts, site: &Site) -> Option<PageFinding> {
    let Some(link) = entrance_link(home) else {
        return Some(PageFinding::new(Kind::MissingEntrance, "", ""));
    };
    let in_address =
        link.url.split_once("site_code=").map(|(_, rest)| rest.split('&').next().unwrap_or(rest));
    let code = in_address.or(home.entrance_code.as_deref())?;
    let right = site.code.as_deref().or_else(|| home.label("SiteIDCode"))?;
    (code != right).then(|| {
        PageFinding::new(Kind::MissingEntrance, "", format!("⟦{code}⟧"))
            .with("reason", format!("the entrance has the code {code}, the site {right}"))
    })
}

/// What offices publish of the economy, under the same word.
const OTHER_STATISTICS: [&str; 6] = ["统计局", "统计数据", "统计公报", "统计年鉴", "统计信息", "统计分析"];

/// Whether a link's text is the name of a page of statistics, not the title of a message.
fn leads_to_statistics(text: &str) -> bool {
    text.chars().count() <= CHANNEL_CHARS_MAX
        && text.contains("统计")
        && !OTHER_STATISTICS.iter().any(|other| text.contains(other))
}

/// D11: a column for messages that tells how many were received and answered. What stands on most pages of the site says
/// nothing of messages.
pub(crate) fn statistics(name: &str, column: &Facts, around: Around<'_>) -> Option<PageFinding> {
    let is_own = |link: &&Link| link.zone == Zone::Main && !around.shared.contains(&url_hash(&link.url));
    let mut main = column.links.iter().filter(is_own);
    let told = column.blocks.iter().any(|block| STATISTICS.is_match(&block.text))
        || main.any(|link| leads_to_statistics(column.link_name(link)));
    (is_for_messages(name) && !told)
        .then(|| PageFinding::new(Kind::MessageStatsMissing, "", format!("⟦{name}⟧")).with("column", name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use xunjian_model::{PageUrl, SiteId};

    #[test]
    fn statistics_tell_how_many_were_received_and_answered() {
        for right in [
            "留言统计：本季度收到留言36件，办结35件。",
            "共收到来信 1204 封，已答复1200封",
            "受理群众咨询12条，按期回复12条",
        ] {
            assert!(STATISTICS.is_match(right), "{right}");
        }
        for wrong in ["收到您的留言后我们将在5个工作日内答复", "联系电话0474-8000000", "本月共发布36篇"]
        {
            assert!(!STATISTICS.is_match(wrong), "{wrong}");
        }
    }

    #[test]
    fn channels_and_domains() {
        assert!(is_for_messages("市长信箱") && is_for_messages("在线咨询"));
        assert!(
            !is_for_messages("信访信箱") && !is_for_messages("纪检举报信箱") && !is_for_messages("通知公告")
        );
        let bad = |url: &str, kind| {
            let url = PageUrl::parse(url).expect("url");
            let site = Site::new(SiteId::new("a").expect("id"), "甲".to_owned(), url, kind);
            domain(&site).is_some()
        };
        assert!(!bad("http://www.wulan.gov.cn/", SiteKind::Portal));
        assert!(!bad("http://slj.wulan.gov.cn/", SiteKind::Department));
        assert!(bad("http://wulan.gov.cn/", SiteKind::Portal), "without www");
        assert!(
            bad("http://www.wulan.com/", SiteKind::Portal) && bad("http://slj.cn/", SiteKind::Department)
        );
        assert!(bad("http://192.0.2.1/", SiteKind::Department));
    }
}
