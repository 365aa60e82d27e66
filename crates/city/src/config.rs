//! An `xunjian.toml` that reaches the city through the ordinary client.

use std::fs;
use std::path::{Path, PathBuf};

use crate::outside::{HOSTS, Resolves};
use crate::plan::twin;
use crate::words::SENSITIVE;
use crate::{City, Served};

/// A file of the configuration could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}: {source}", path.display())]
pub struct ConfigError {
    path: PathBuf,
    source: std::io::Error,
}

impl City {
    /// Writes the configuration, and beside it the authority, the office's own words and the
    /// new-media ledger it names.
    pub fn write_config(&self, served: &Served, file: &Path) -> Result<(), ConfigError> {
        let folder = file.parent().unwrap_or(Path::new("")).join("city");
        let save = |path: PathBuf, text: String| {
            fs::write(&path, text).map_err(|source| ConfigError { path, source })
        };
        fs::create_dir_all(&folder).map_err(|source| ConfigError { path: folder.clone(), source })?;
        save(folder.join("ca.pem"), served.ca_pem.clone())?;
        save(folder.join("words.toml"), words())?;
        let mut ledger = String::from("site,platform,name,office,address,last_post,state,closed,feed\n");
        for account in self.accounts() {
            let crate::Account { site, platform, name, office, url, last_post, state, closed } = account;
            let closed = closed.map_or_else(String::new, |day| day.to_string());
            ledger.push_str(&format!(
                "{site},{platform},{name},{office},{url},{last_post},{state},{closed},{url}\n"
            ));
        }
        save(folder.join("media.csv"), ledger)?;
        save(file.to_owned(), self.config(served.port))
    }

    fn config(&self, port: u16) -> String {
        let today = self.today();
        let mut text = format!(
            "# The simulated city, seed {}, day {}.\ndata = \"xunjian-data\"\nmonitoring_point = \"{today}T20:00:00+08:00\"\n\n\
             [network]\nallow_private = [\"127.0.0.0/8\", \"::1/128\"]\nca_file = \"city/ca.pem\"\n\n[network.resolve]\n",
            self.options.seed, self.options.day
        );
        let live = format!("\"127.0.0.1:{port}\"");
        for site in self.sites() {
            let addresses = match (site.down(), site.ipv6) {
                (false, true) if site.ipv6_dead => format!("[{live}, \"[::1]:1\"]"),
                (true, true) => "[\"127.0.0.1:1\", \"[::1]:1\"]".to_owned(),
                (true, false) => "\"127.0.0.1:1\"".to_owned(),
                (false, true) => format!("[{live}, \"[::1]:{port}\"]"),
                (false, false) => live.clone(),
            };
            let (host, twin) = (&site.host, twin(&site.host));
            // A name that is not there is told so: nobody has to be asked for it.
            let twins = if site.second.is_some() { &*addresses } else { "[]" };
            text.push_str(&format!("\"{host}\" = {addresses}\n\"{twin}\" = {twins}\n"));
        }
        for (host, resolves) in HOSTS {
            let addresses = match resolves {
                Resolves::City => live.as_str(),
                Resolves::Refused => "\"127.0.0.1:1\"",
                Resolves::Nowhere => "[]",
            };
            text.push_str(&format!("\"{host}\" = {addresses}\n"));
        }
        text.push_str(
            "\n[politeness]\nrequests_per_second = 0\nconnections = 4\naddress_requests_per_second = 0\naddress_connections = 64\n# One of the sites is down by design; it is not waited for.\nblock_s = 0.2\nblock_max_s = 0.5\npatience_s = 1\n\n[crawl]\nretry_pause_s = 0.5\n\n[scan]\ndictionaries = [\"city/words.toml\"]\n\n[media]\nledger = \"city/media.csv\"\n",
        );
        for site in self.sites() {
            text.push_str(&format!(
                "\n[[site]]\nid = \"{}\"\nname = \"{}\"\nurl = \"{}/\"\nkind = \"{}\"\ncode = \"{}\"\n",
                site.id,
                site.name,
                site.origin(),
                if site.portal { "portal" } else { "department" },
                site.code
            ));
        }
        text
    }
}

fn words() -> String {
    let mut text = String::from(
        "name = \"演示用敏感词\"\nversion = \"1\"\ncategory = \"sensitive-word\"\nseverity = \"serious\"\n",
    );
    for word in SENSITIVE {
        text.push_str(&format!("\n[[entry]]\npattern = \"{word}\"\n"));
    }
    text
}
