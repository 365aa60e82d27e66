//! Words that nobody may read in logs and reports.

use std::fmt;
use std::path::Path;

/// A password, key, or address with a key in it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// Why a secret could not be had.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The variable is not set.
    #[error("the environment has no variable {0}; set it, or write \"file:PATH\"")]
    Variable(String),
    /// The file cannot be read.
    #[error("cannot read the secret's file {0}: {1}")]
    File(String, std::io::Error),
}

impl Secret {
    /// A secret that stands there as it is.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Reads `env:NAME`, `file:PATH` (below `folder`), or the secret itself.
    pub fn read(text: &str, folder: &Path) -> Result<Self, SecretError> {
        if let Some(name) = text.strip_prefix("env:") {
            let value = std::env::var(name).map_err(|_| SecretError::Variable(name.to_owned()))?;
            return Ok(Self(value));
        }
        if let Some(file) = text.strip_prefix("file:") {
            let value = std::fs::read_to_string(folder.join(file));
            let value = value.map_err(|error| SecretError::File(file.to_owned(), error))?;
            return Ok(Self(value.trim_end().to_owned()));
        }
        Ok(Self(text.to_owned()))
    }

    /// Whether it is an address of the web.
    pub fn is_web_address(&self) -> bool {
        let known = ["http://", "https://"].iter().any(|scheme| self.0.starts_with(scheme));
        known && reqwest::Url::parse(&self.0).is_ok_and(|url| url.has_host())
    }

    /// The words; for the wire only.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_come_from_files_and_variables_and_are_not_shown() {
        let folder = std::env::temp_dir();
        let file = folder.join(format!("xunjian-secret-{}", std::process::id()));
        std::fs::write(&file, "s3cret\n").expect("written");
        let read = Secret::read(&format!("file:{}", file.display()), &folder).expect("read");
        assert_eq!((read.reveal(), format!("{read:?}").as_str()), ("s3cret", "Secret(***)"));
        std::fs::remove_file(&file).expect("removed");
        assert!(Secret::read(&format!("file:{}", file.display()), &folder).is_err());
        assert!(Secret::read("env:XUNJIAN_NO_SUCH_VARIABLE", &folder).is_err());
        assert_eq!(Secret::read("plain", &folder).expect("plain").reveal(), "plain");
    }
}
