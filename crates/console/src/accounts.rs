//! Who may come in: names with argon2 hashes of their passwords, and tokens of tools, in a file that
//! only its owner reads.

use std::fmt;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use data_encoding::BASE64URL_NOPAD;
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom as _, SystemRandom};
use serde::{Deserialize, Serialize};

/// Shortest password.
const PASSWORD_CHARS_MIN: usize = 12;
/// Bytes of a token.
const TOKEN_BYTES: usize = 32;

/// What somebody may do; each may what the one before may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Looks.
    Viewer,
    /// Decides about findings.
    Reviewer,
    /// Everything.
    Admin,
}

/// What a token is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Reading.
    Read,
    /// Reading and deciding.
    Write,
}

macro_rules! words {
    ($type:ident, $what:literal, $($variant:ident $word:literal)*) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$variant => $word,)* })
            }
        }

        impl FromStr for $type {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> {
                match text {
                    $($word => Ok(Self::$variant),)*
                    _ => Err(format!("{text:?} is no {}: use one of {}", $what, [$($word),*].join(", "))),
                }
            }
        }
    };
}

words!(Role, "role", Viewer "viewer" Reviewer "reviewer" Admin "admin");
words!(Scope, "scope", Read "read" Write "write");

/// One account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Hash of its password, as PHC strings are.
    password: String,
    /// Its tokens.
    #[serde(default)]
    tokens: Vec<Token>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Token {
    /// SHA-256 of it: a token is long and random, so that nobody guesses it.
    hash: String,
    scope: Scope,
}

/// Why accounts cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The file cannot be read or written.
    #[error("the accounts in {}: {source}", path.display())]
    File {
        /// File.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The file is not ours.
    #[error("{} holds no accounts: {reason}", path.display())]
    Form {
        /// File.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The name is not one.
    #[error("{0:?} is no name of an account: use letters, digits, - and _")]
    Name(String),
    /// There is one of that name.
    #[error("there is an account {0} already; remove it first")]
    Taken(String),
    /// There is none of that name.
    #[error("there is no account {0}")]
    Unknown(String),
    /// Too short.
    #[error("a password has at least {PASSWORD_CHARS_MIN} characters")]
    Short,
    /// No random numbers, or no memory for the hash.
    #[error("cannot hash: {0}")]
    Hash(String),
}

/// The accounts of a file; read each time, so that a change counts at once.
#[derive(Clone, Debug)]
pub struct Accounts {
    path: PathBuf,
    /// A hash that is compared with when there is no such account, so that both take as long.
    decoy: String,
}

impl Accounts {
    /// The accounts of a file, which need not be there.
    pub fn open(path: &Path) -> Result<Self, AccountError> {
        let accounts = Self { path: path.to_owned(), decoy: hash("no such account")? };
        accounts.list()?;
        Ok(accounts)
    }

    /// All accounts.
    pub fn list(&self) -> Result<Vec<Account>, AccountError> {
        let bytes = match fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(AccountError::File { path: self.path.clone(), source }),
        };
        serde_json::from_slice(&bytes)
            .map_err(|error| AccountError::Form { path: self.path.clone(), reason: error.to_string() })
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> Result<bool, AccountError> {
        Ok(self.list()?.is_empty())
    }

    fn save(&self, accounts: &[Account]) -> Result<(), AccountError> {
        let file = |source| AccountError::File { path: self.path.clone(), source };
        let bytes = serde_json::to_vec_pretty(accounts)
            .map_err(|error| AccountError::Form { path: self.path.clone(), reason: error.to_string() })?;
        let beside = self.path.with_extension("part");
        let mut options = fs::OpenOptions::new();
        options.create(true).write(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut out = options.open(&beside).map_err(file)?;
        out.write_all(&bytes).and_then(|()| out.sync_all()).map_err(file)?;
        fs::rename(&beside, &self.path).map_err(file)
    }

    /// Adds an account.
    pub fn add(&self, name: &str, role: Role, password: &str) -> Result<(), AccountError> {
        if name.is_empty() || !name.chars().all(|c| c.is_alphanumeric() || "-_".contains(c)) {
            return Err(AccountError::Name(name.to_owned()));
        }
        if password.chars().count() < PASSWORD_CHARS_MIN {
            return Err(AccountError::Short);
        }
        let mut accounts = self.list()?;
        if accounts.iter().any(|one| one.name == name) {
            return Err(AccountError::Taken(name.to_owned()));
        }
        accounts.push(Account { name: name.to_owned(), role, password: hash(password)?, tokens: Vec::new() });
        self.save(&accounts)
    }

    /// Removes an account with its tokens.
    pub fn remove(&self, name: &str) -> Result<(), AccountError> {
        let mut accounts = self.list()?;
        let before = accounts.len();
        accounts.retain(|one| one.name != name);
        if accounts.len() == before {
            return Err(AccountError::Unknown(name.to_owned()));
        }
        self.save(&accounts)
    }

    /// Makes a token; it is told once and kept as a hash.
    pub fn token(&self, name: &str, scope: Scope) -> Result<String, AccountError> {
        let mut accounts = self.list()?;
        let Some(account) = accounts.iter_mut().find(|one| one.name == name) else {
            return Err(AccountError::Unknown(name.to_owned()));
        };
        let token = random::<TOKEN_BYTES>().map(|bytes| format!("xj_{}", BASE64URL_NOPAD.encode(&bytes)))?;
        account.tokens.push(Token { hash: token_hash(&token), scope });
        self.save(&accounts)?;
        Ok(token)
    }

    /// The account of a name and a password. Takes as long when there is none.
    pub(crate) fn enter(&self, name: &str, password: &str) -> Result<Option<Account>, AccountError> {
        let account = self.list()?.into_iter().find(|one| one.name == name);
        let kept = account.as_ref().map_or(&self.decoy, |account| &account.password);
        let right = PasswordHash::new(kept)
            .is_ok_and(|kept| Argon2::default().verify_password(password.as_bytes(), &kept).is_ok());
        Ok(account.filter(|_| right))
    }

    /// The account of a token, with what the token is good for.
    pub(crate) fn of_token(&self, token: &str) -> Result<Option<(Account, Scope)>, AccountError> {
        let wanted = token_hash(token);
        let found = self.list()?.into_iter().find_map(|account| {
            let scope = account.tokens.iter().find(|one| one.hash == wanted)?.scope;
            Some((account, scope))
        });
        Ok(found)
    }

    /// The role of an account now.
    pub(crate) fn role(&self, name: &str) -> Result<Option<Role>, AccountError> {
        Ok(self.list()?.into_iter().find(|one| one.name == name).map(|one| one.role))
    }
}

fn hash(password: &str) -> Result<String, AccountError> {
    let hashed = Argon2::default().hash_password(password.as_bytes());
    hashed.map(|hash| hash.to_string()).map_err(|error| AccountError::Hash(error.to_string()))
}

fn token_hash(token: &str) -> String {
    BASE64URL_NOPAD.encode(digest(&SHA256, token.as_bytes()).as_ref())
}

/// Random bytes that nobody guesses.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], AccountError> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|error| AccountError::Hash(error.to_string()))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_kept_without_their_passwords() {
        let path = std::env::temp_dir().join(format!("xunjian-accounts-{}", std::process::id()));
        let accounts = Accounts::open(&path).expect("accounts");
        assert!(accounts.is_empty().expect("read"));
        accounts.add("wang", Role::Reviewer, "a long password").expect("added");
        assert!(matches!(accounts.add("wang", Role::Admin, "a long password"), Err(AccountError::Taken(_))));
        assert!(matches!(accounts.add("li", Role::Admin, "short"), Err(AccountError::Short)));
        assert!(matches!(accounts.add("a b", Role::Admin, "a long password"), Err(AccountError::Name(_))));
        let token = accounts.token("wang", Scope::Read).expect("a token");
        let text = fs::read_to_string(&path).expect("a file");
        assert!(!text.contains("a long password") && !text.contains(&token), "{text}");
        assert!(text.contains("$argon2id$"));
        assert_eq!(
            accounts.enter("wang", "a long password").expect("read").map(|one| one.role),
            Some(Role::Reviewer)
        );
        assert!(accounts.enter("wang", "another password").expect("read").is_none());
        assert!(accounts.enter("nobody", "a long password").expect("read").is_none());
        assert_eq!(accounts.of_token(&token).expect("read").map(|(_, scope)| scope), Some(Scope::Read));
        assert!(accounts.of_token("xj_").expect("read").is_none());
        accounts.remove("wang").expect("removed");
        assert!(accounts.of_token(&token).expect("read").is_none());
        fs::write(&path, "{").expect("written");
        assert!(matches!(accounts.list(), Err(AccountError::Form { .. })));
        fs::remove_file(&path).expect("removed");
    }
}
