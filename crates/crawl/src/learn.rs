//! Learning which addresses of a site are the same page: parameters that change nothing, index
//! names, slashes.

use std::collections::{BTreeMap, HashMap, HashSet};

use xunjian_model::canonical::{index_name, needs_slash, parameter};
use xunjian_model::{BodyHash, Canonical, PageUrl};

/// Equal pairs, and none that differs, after which a parameter is dropped.
const PARAMETER_PAIRS: u32 = 5;
/// The same for index names and slashes, where one pair says more.
const FORM_PAIRS: u32 = 2;
/// Pages remembered of one site; then it begins anew with what was voted.
const PAGES_HELD: usize = 8_192;
/// Parameters of one address that are looked at.
const PARAMETERS_MAX: usize = 8;

/// A way in which two addresses may differ and still be one page.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Form {
    Parameter(String),
    Index(String),
    Slash,
}

#[derive(Default)]
struct Votes {
    same: u32,
    differ: u32,
    adopted: bool,
}

/// What is being learnt of one site.
#[derive(Default)]
pub(crate) struct Learner {
    /// What remains of an address without the form → what it showed, and with which value.
    seen: HashMap<(Form, String), (BodyHash, String)>,
    votes: BTreeMap<Form, Votes>,
    /// Index names the site uses.
    names: HashSet<String>,
}

impl Learner {
    /// Takes note of what an address showed; a rule, when one is certain now.
    pub(crate) fn add(&mut self, url: &PageUrl, text: BodyHash) -> Option<Canonical> {
        if self.seen.len() >= PAGES_HELD {
            self.seen.clear();
        }
        let mut adopted = Canonical::default();
        for (form, rest, value) in self.forms(url) {
            let Some((other, other_value)) = self.seen.get(&(form.clone(), rest.clone())) else {
                self.seen.insert((form, rest), (text, value));
                continue;
            };
            if *other_value == value {
                continue;
            }
            let votes = self.votes.entry(form.clone()).or_default();
            if *other == text {
                votes.same += 1;
            } else {
                votes.differ += 1;
            }
            let enough = if matches!(form, Form::Parameter(_)) { PARAMETER_PAIRS } else { FORM_PAIRS };
            if votes.differ == 0 && votes.same >= enough && !votes.adopted {
                votes.adopted = true;
                match form {
                    Form::Parameter(name) => {
                        adopted.drop_parameters.insert(name);
                    }
                    Form::Index(name) => {
                        adopted.index_names.insert(name);
                    }
                    Form::Slash => adopted.slash = true,
                }
            }
        }
        (adopted != Canonical::default()).then_some(adopted)
    }

    /// The forms an address has: each with the rest of the address and the form's value.
    fn forms(&mut self, url: &PageUrl) -> Vec<(Form, String, String)> {
        let mut forms = Vec::new();
        let path = url.path();
        if let Some(query) = url.as_url().query() {
            let pairs: Vec<&str> = query.split('&').take(PARAMETERS_MAX).collect();
            for pair in &pairs {
                let name = parameter(pair).to_ascii_lowercase();
                let rest: Vec<&str> = pairs.iter().filter(|other| *other != pair).copied().collect();
                forms.push((Form::Parameter(name), format!("{path}?{}", rest.join("&")), (*pair).to_owned()));
            }
            return forms;
        }
        if let Some(name) = index_name(path) {
            self.names.insert(name.to_owned());
            let folder = path[..path.len() - name.len()].to_owned();
            forms.push((Form::Index(name.to_owned()), folder, name.to_owned()));
        } else if path.ends_with('/') {
            for name in &self.names {
                forms.push((Form::Index(name.clone()), path.to_owned(), String::new()));
            }
            forms.push((Form::Slash, path.trim_end_matches('/').to_owned(), "/".to_owned()));
        } else if needs_slash(path) {
            forms.push((Form::Slash, path.to_owned(), String::new()));
        }
        forms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(learner: &mut Learner, url: &str, text: &str) -> Option<Canonical> {
        learner.add(&PageUrl::parse(&format!("http://a.cn{url}")).expect(url), BodyHash::of(text.as_bytes()))
    }

    #[test]
    fn a_parameter_that_never_matters_is_learnt_and_one_that_matters_once_is_not() {
        let mut learner = Learner::default();
        let mut rule = None;
        for at in 0..8 {
            assert_eq!(rule, None.filter(|_: &Canonical| true).or(rule.clone()), "once");
            add(&mut learner, &format!("/x.do?id={at}&from=top"), &format!("text {at}"));
            let found = add(&mut learner, &format!("/x.do?id={at}&from=left"), &format!("text {at}"));
            rule = rule.or(found);
        }
        let rule = rule.expect("learnt");
        assert_eq!(rule.drop_parameters.iter().collect::<Vec<_>>(), ["from"]);
    }

    #[test]
    fn index_names_and_slashes_take_two_pairs() {
        let mut learner = Learner::default();
        let mut rules = Vec::new();
        for folder in ["/a", "/b", "/c"] {
            for form in ["/index.html", "/", ""] {
                rules.extend(add(&mut learner, &format!("{folder}{form}"), folder));
            }
        }
        assert!(rules.iter().any(|rule| rule.index_names.contains("index.html")), "{rules:?}");
        assert!(rules.iter().any(|rule| rule.slash), "{rules:?}");
        // Folders whose index page is another page teach the opposite.
        let mut learner = Learner::default();
        add(&mut learner, "/z/index.html", "one");
        add(&mut learner, "/z/", "another");
        for folder in ["/a", "/b", "/c"] {
            assert_eq!(add(&mut learner, &format!("{folder}/index.html"), folder), None);
            assert_eq!(add(&mut learner, &format!("{folder}/"), folder), None);
        }
    }
}
