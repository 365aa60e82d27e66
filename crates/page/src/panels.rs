//! Panels of which a page shows one at a time, such as tabs: a click shows the others.

use crate::attribute::{Attribute, Attributes};
use crate::hidden::is_put_away;

/// What tells panels of one box: their class, or their ids, which are numbered.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Panel<'t> {
    class: &'t str,
    id: &'t str,
}

impl<'t> Panel<'t> {
    /// `None` where there is neither.
    pub(crate) fn of(attributes: &Attributes<'t>) -> Option<Self> {
        let [class, id] =
            [Attribute::Class, Attribute::Id].map(|name| attributes.written(name).unwrap_or(""));
        (!class.is_empty() || !id.is_empty()).then_some(Self { class, id })
    }

    /// Whether this one is put away where the other is shown.
    pub(crate) fn is_behind(self, shown: Self, attributes: &Attributes<'_>) -> bool {
        self.is_like(shown)
            && (attributes.has(Attribute::Hidden)
                || attributes.get(Attribute::Style).is_some_and(|style| is_put_away(&style)))
    }

    fn is_like(self, other: Self) -> bool {
        // What is shown may have a class more.
        let first = |panel: Self| panel.class.split_ascii_whitespace().next();
        first(self).is_some() && first(self) == first(other) || are_numbered(self.id, other.id)
    }
}

/// Whether two ids differ in their numbers alone.
fn are_numbered(id: &str, other: &str) -> bool {
    let letters = |id: &'_ str| id.bytes().filter(|byte| !byte.is_ascii_digit()).collect::<Vec<_>>();
    id != other && letters(id).len() < id.len() && letters(id) == letters(other)
}
