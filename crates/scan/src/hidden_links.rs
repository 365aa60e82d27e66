//! Links and frames a reader cannot see that lead to strangers (暗链).

use xunjian_model::{Facts, Kind, LinkKind, PageUrl, Site};

use crate::digest::PageFinding;

/// Hosts that an office links to from menus that open on a click.
const TRUSTED: [&str; 4] = ["gov.cn", "conac.cn", "miitbeian.gov.cn", "beian.gov.cn"];

pub(crate) fn check(facts: &Facts, site: &Site, findings: &mut Vec<PageFinding>) {
    let leads = |kind| matches!(kind, LinkKind::Page | LinkKind::Frame);
    for link in facts.links.iter().filter(|link| link.hidden && leads(link.kind)) {
        let Ok(url) = PageUrl::parse(&link.url) else { continue };
        let host = url.host();
        let trusted = |zone: &str| host == zone || host.ends_with(&format!(".{zone}"));
        if site.in_scope(&url) || TRUSTED.iter().any(|zone| trusted(zone)) {
            continue;
        }
        let text = facts.link_text(link);
        findings.push(
            PageFinding::new(Kind::HiddenLink, link.url.clone(), format!("⟦{text}⟧ → {}", link.url))
                .with("text", text.to_owned()),
        );
    }
}
