//! What a host shows for pages that do not exist, learnt by asking for one.

use xunjian_model::{Facts, PageUrl, Zone};

/// A host's "not found" page that says 200.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SoftPage {
    title: String,
    text: Vec<String>,
}

/// An address that cannot exist.
pub(crate) fn probe(home: &PageUrl) -> Option<PageUrl> {
    let hash = blake3::hash(home.as_str().as_bytes()).to_hex();
    home.join(&format!("/xunjian-{}.html", &hash[..20])).ok()
}

impl SoftPage {
    pub(crate) fn of(facts: &Facts) -> Self {
        let main = facts.blocks.iter().filter(|block| block.zone == Zone::Main && !block.hidden);
        Self { title: facts.title.clone(), text: main.map(|block| block.text.clone()).collect() }
    }
}
