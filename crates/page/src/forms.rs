//! Forms with their fields: what a reader can ask a site for.

use xunjian_model::{Facts, Field, Form, PageUrl};

use crate::attribute::{Attribute, Attributes};

/// Forms of one page, and fields of one form.
const FORMS_MAX: usize = 32;
const FIELDS_MAX: usize = 64;

/// The form that is open.
#[derive(Debug, Default)]
pub(crate) struct Forms {
    open: bool,
}

impl Forms {
    pub(crate) fn open(&mut self, facts: &mut Facts, base: &PageUrl, attributes: &Attributes<'_>) {
        if facts.forms.len() >= FORMS_MAX {
            return;
        }
        let action = attributes.get(Attribute::Action).unwrap_or_default();
        let action = base.join(action.trim()).map_or_else(|_| base.to_string(), |url| url.to_string());
        facts.forms.push(Form {
            action,
            post: attributes
                .get(Attribute::Method)
                .is_some_and(|method| method.trim().eq_ignore_ascii_case("post")),
            charset: attributes.get(Attribute::AcceptCharset).map(|charset| charset.trim().to_owned()),
            scripted: attributes.has(Attribute::Onsubmit),
            fields: Vec::new(),
            main: false,
        });
        self.open = true;
    }

    /// Takes a field behind a text; `is_main`: readers see it in the main text.
    pub(crate) fn field(&self, facts: &mut Facts, attributes: &Attributes<'_>, before: &str, is_main: bool) {
        let get = |name: Attribute| attributes.get(name).unwrap_or_default().trim().to_owned();
        let kind = get(Attribute::Type).to_ascii_lowercase();
        let hints = [Attribute::Placeholder, Attribute::Title, Attribute::Id].map(get);
        let field = Field {
            name: get(Attribute::Name),
            kind: if kind.is_empty() { "text".to_owned() } else { kind },
            value: get(Attribute::Value),
            hint: hints.into_iter().find(|hint| !hint.is_empty()).unwrap_or_default(),
        };
        // Pagers take the number of a page.
        let is_main = is_main && !is_page_number(&field, before);
        if !self.open {
            facts.loose_fields += u32::from(is_main && field.is_typed() && !field.says_search());
            return;
        }
        let form = facts.forms.last_mut().filter(|form| form.fields.len() < FIELDS_MAX);
        let Some(form) = form else { return };
        form.scripted |= attributes.has(Attribute::Onclick);
        form.main |= is_main && field.is_typed();
        form.fields.push(field);
    }

    pub(crate) fn close(&mut self) {
        self.open = false;
    }
}

/// Whether a field takes the number of a page: 转到第 [1] 页.
fn is_page_number(field: &Field, before: &str) -> bool {
    let ends = ["第", "到", "至", "转", "跳"];
    let before = before.trim_end();
    ends.iter().any(|end| before.ends_with(end))
        || !field.value.is_empty() && field.value.bytes().all(|byte| byte.is_ascii_digit())
}
