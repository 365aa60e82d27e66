//! One module a page.

pub(crate) mod dictionaries;
pub(crate) mod finding;
pub(crate) mod login;
pub(crate) mod media;
pub(crate) mod notices;
pub(crate) mod overview;
pub(crate) mod rectification;
pub(crate) mod review;
pub(crate) mod runs;
pub(crate) mod search;
pub(crate) mod site;
