//! What readers do not see of a page.

use xunjian_model::anchor_hash;

use super::Builder;
use crate::attribute::{Attribute, Attributes};
use crate::element::Element;
use crate::hidden::{put_away_by, style_hides};
use crate::panels::Panel;

impl<'t> Builder<'t> {
    pub(super) fn hidden(&self) -> bool {
        self.stack.last().is_some_and(|open| open.hidden)
    }

    pub(super) fn folded(&self) -> bool {
        self.stack.last().is_some_and(|open| open.folded)
    }

    /// Whether an element that begins is hidden, and whether by a rule of a style sheet alone.
    pub(super) fn hiding(&mut self, element: Element, attributes: &Attributes<'t>) -> (bool, bool) {
        let own = hides(attributes);
        if matches!(element, Element::Html | Element::Body) {
            // Many hide all of a page until a script has made it ready.
            self.facts.scripted |= own;
            return (false, false);
        }
        let marquee = element == Element::Marquee
            && matches!(attributes.get(Attribute::Height).as_deref(), Some("0" | "1"));
        let panel = if element.is_block() { Panel::of(attributes) } else { None };
        let beside = self.stack.last().map(|parent| parent.shown).unwrap_or_default();
        let is_panel = || panel.is_some_and(|panel| panel.is_behind(beside, attributes));
        let certain = marquee || own && !is_panel();
        let folded = !certain && (self.folded() || !self.hidden() && self.sheet.hides(attributes));
        let hidden = certain || folded;
        if let (Some(panel), Some(parent), false) = (panel, self.stack.last_mut(), hidden) {
            parent.shown = panel;
        }
        (hidden, folded)
    }

    /// Notes what a script takes out of the page that does nothing else.
    pub(super) fn put_away(&mut self, script: &str) {
        let Some(id) = put_away_by(script).map(anchor_hash) else { return };
        let Some(at) = self.parts.iter().rposition(|(known, ..)| *known == id) else { return };
        // Once each, however many scripts say so.
        let (_, from, to) = self.parts.swap_remove(at);
        for link in self.facts.links[from..to].iter_mut().filter(|link| !link.hidden) {
            (link.hidden, link.folded) = (true, true);
        }
    }
}

/// Whether an element is hidden by its own attributes.
pub(super) fn hides(attributes: &Attributes<'_>) -> bool {
    attributes.has(Attribute::Hidden)
        || attributes.get(Attribute::Style).is_some_and(|style| style_hides(&style))
}
