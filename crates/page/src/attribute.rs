//! Attributes of a start tag, their names told apart once.

use std::borrow::Cow;

use crate::names::{Room, lower_case};
use crate::references;

macro_rules! attributes {
    ($($attribute:ident $name:literal $(| $other:literal)*)*) => {
        /// Names that mean something here.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Attribute { $($attribute,)* Other }

        impl Attribute {
            fn of_lower(name: &str) -> Self {
                match name { $($name $(| $other)* => Self::$attribute,)* _ => Self::Other }
            }
        }
    };
}

attributes! {
    AcceptCharset "accept-charset" Action "action" Alt "alt" Background "background" Class "class" Colspan "colspan" Content "content"
    Count "count" Data "data" Datetime "datetime" Height "height" Hidden "hidden" Href "href"
    HttpEquiv "http-equiv"
    Id "id" Itemprop "itemprop"
    LazySrc "data-src" | "data-original" | "data-lazy-src" | "data-echo" | "lay-src"
    Method "method" Name "name" Onchange "onchange" Onclick "onclick" Onload "onload" Onsubmit "onsubmit" Placeholder "placeholder" Poster "poster"
    Property "property" Pubdate "pubdate" Querydata "querydata" Rel "rel" Rows "rows" Sitecode "sitecode" Src "src"
    Srcset "srcset" Style "style" Title "title" Type "type" Url "url" Value "value" Width "width"
}

impl Attribute {
    fn of(name: &str) -> Self {
        lower_case(name, &mut Room::default()).map_or(Self::Other, Self::of_lower)
    }

    fn bit(self) -> u64 {
        1 << self as u32
    }
}

/// Attributes of a start tag.
#[derive(Debug, Default)]
pub(crate) struct Attributes<'t> {
    /// Each with its name and its value as they are written.
    all: Vec<(Attribute, &'t str, &'t str)>,
    /// Which there are.
    present: u64,
}

impl<'t> Attributes<'t> {
    /// A value, without its character references; the first when repeated.
    pub(crate) fn get(&self, attribute: Attribute) -> Option<Cow<'t, str>> {
        self.written(attribute).map(references::in_attribute)
    }

    /// A value as it is written; the first when repeated.
    pub(crate) fn written(&self, attribute: Attribute) -> Option<&'t str> {
        if !self.has(attribute) {
            return None;
        }
        self.all.iter().find(|(one, ..)| *one == attribute).map(|(_, _, value)| *value)
    }

    pub(crate) fn has(&self, attribute: Attribute) -> bool {
        self.present & attribute.bit() != 0
    }

    pub(crate) fn clear(&mut self) {
        self.all.clear();
        self.present = 0;
    }

    pub(crate) fn push(&mut self, name: &'t str, value: &'t str) {
        let attribute = Attribute::of(name);
        self.present |= attribute.bit();
        self.all.push((attribute, name, value));
    }

    /// Every attribute with its name in lower case.
    #[cfg(test)]
    pub(crate) fn iter(&self) -> impl Iterator<Item = (String, Cow<'t, str>)> {
        self.all.iter().map(|(_, name, value)| (name.to_ascii_lowercase(), references::in_attribute(value)))
    }
}
