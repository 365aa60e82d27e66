//! Element names, told apart once.

use crate::names::{Room, lower_case};

/// An element's name: one that means something here, or another one by its text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Name<'t> {
    pub(crate) element: Element,
    /// As it is written.
    pub(crate) text: &'t str,
}

impl<'t> Name<'t> {
    pub(crate) fn of(text: &'t str) -> Self {
        Self { element: Element::of(text), text }
    }

    pub(crate) fn is(&self, other: &Name<'_>) -> bool {
        self.element == other.element
            && (self.element != Element::Other || self.text.eq_ignore_ascii_case(other.text))
    }

    /// Appends the name in lower case.
    pub(crate) fn append_to(&self, out: &mut String) {
        if self.element == Element::Other {
            out.extend(self.text.chars().map(|c| c.to_ascii_lowercase()));
        } else {
            out.push_str(self.element.name());
        }
    }
}

macro_rules! elements {
    ($($element:ident $name:literal)*) => {
        /// Names that mean something here.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Element { $($element,)* Other }

        impl Element {
            fn name(self) -> &'static str {
                match self { $(Self::$element => $name,)* Self::Other => "" }
            }

            fn of_lower(name: &str) -> Self {
                match name { $($name => Self::$element,)* _ => Self::Other }
            }
        }
    };
}

elements! {
    A "a" Address "address" AnnotationXml "annotation-xml" Area "area" Article "article" Aside "aside" Audio "audio" Base "base"
    Blockquote "blockquote" Body "body" Br "br" Button "button" Caption "caption" Center "center"
    Col "col" Dd "dd" Desc "desc" Details "details" Dialog "dialog" Dir "dir" Div "div" Dl "dl" Dt "dt"
    Embed "embed" Fieldset "fieldset" Figcaption "figcaption" Figure "figure" Footer "footer"
    ForeignObject "foreignobject" Form "form" Frame "frame" H1 "h1" H2 "h2" H3 "h3" H4 "h4" H5 "h5" H6 "h6" Head "head"
    Header "header" Hr "hr" Html "html" Iframe "iframe" Img "img" Input "input" Li "li"
    Link "link" Main "main" Marquee "marquee" Math "math" Menu "menu" Meta "meta" Nav "nav" Noembed "noembed"
    Noframes "noframes" Object "object" Ol "ol" Option "option" P "p" Param "param" Plaintext "plaintext" Pre "pre"
    Script "script" Section "section" Select "select" Source "source" Span "span" Style "style"
    Summary "summary" Svg "svg" Table "table" Tbody "tbody" Td "td" Textarea "textarea" Tfoot "tfoot"
    Th "th" Thead "thead" Time "time" Title "title" Tr "tr" Track "track" Ul "ul" Video "video" Wbr "wbr"
    Xmp "xmp"
}

impl Element {
    fn of(name: &str) -> Self {
        lower_case(name, &mut Room::default()).map_or(Self::Other, Self::of_lower)
    }

    /// 1–6 for headings.
    pub(crate) fn heading_level(self) -> Option<u8> {
        Some(match self {
            Self::H1 => 1,
            Self::H2 => 2,
            Self::H3 => 3,
            Self::H4 => 4,
            Self::H5 => 5,
            Self::H6 => 6,
            _ => return None,
        })
    }

    /// Elements that may be a row of a list.
    pub(crate) fn is_row(self) -> bool {
        use Element::*;
        matches!(self, Li | Tr | Dd | Dt | P | Div | Article | Section) || self.is_list()
    }

    /// Elements of rows, of which some sites have one for each row: title, text and date are parts of it.
    pub(crate) fn is_list(self) -> bool {
        use Element::*;
        matches!(self, Ul | Ol | Dl | Table)
    }

    /// Drawings and formulas: what stands in them is not HTML; but what these hold is again.
    pub(crate) fn is_foreign(self) -> Option<bool> {
        use Element::*;
        match self {
            Svg | Math => Some(true),
            ForeignObject | Desc | AnnotationXml => Some(false),
            _ => None,
        }
    }

    /// Elements without content.
    pub(crate) fn is_void(self) -> bool {
        use Element::*;
        matches!(
            self,
            Area | Base
                | Br
                | Col
                | Embed
                | Hr
                | Img
                | Input
                | Link
                | Meta
                | Param
                | Source
                | Track
                | Wbr
                | Frame
        )
    }

    /// Elements that end a run of text.
    pub(crate) fn is_block(self) -> bool {
        use Element::*;
        matches!(
            self,
            Address
                | Article
                | Aside
                | Blockquote
                | Body
                | Button
                | Caption
                | Center
                | Dd
                | Details
                | Dialog
                | Dir
                | Div
                | Dl
                | Dt
                | Fieldset
                | Figcaption
                | Figure
                | Footer
                | Form
                | H1
                | H2
                | H3
                | H4
                | H5
                | H6
                | Header
                | Hr
                | Html
                | Li
                | Main
                | Menu
                | Nav
                | Ol
                | Option
                | P
                | Pre
                | Section
                | Select
                | Summary
                | Table
                | Tbody
                | Td
                | Tfoot
                | Th
                | Thead
                | Tr
                | Ul
                | Head
        )
    }
}
