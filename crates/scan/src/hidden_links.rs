//! Links and frames a reader cannot see that lead to strangers (暗链).

use xunjian_model::{Facts, Kind, LinkKind, PageUrl, Site};

use crate::digest::PageFinding;

/// Hosts that an office links to from menus that open on a click.
const TRUSTED: [&str; 4] = ["gov.cn", "conac.cn", "miitbeian.gov.cn", "beian.gov.cn"];

pub(crate) fn check(facts: &Facts, site: &Site, findings: &mut Vec<PageFinding>) {
    let leads = |kind| matches!(kind, LinkKind::Page | LinkKind::Frame);
    for link in facts.links.iter().filter(|link| link.hidden && leads(link.kind)) {
        let Ok(url) = PageUrl::parse(&link.url) else { continue };
        if is_trusted(&url, site) {
            continue;
        }
        let text = facts.link_text(link);
        findings.push(
            PageFinding::new(Kind::HiddenLink, link.url.clone(), format!("⟦{text}⟧ → {}", link.url))
                .with("text", text.to_owned()),
        );
    }
}

/// Whether an address is of one of the site's own hosts, or of one that offices link to.
pub(crate) fn is_trusted(url: &PageUrl, site: &Site) -> bool {
    let host = url.host();
    let is_of = |zone: &str| host.strip_suffix(zone).is_some_and(|at| at.is_empty() || at.ends_with('.'));
    site.hosts().any(|own| own == host) || TRUSTED.into_iter().any(is_of)
}
