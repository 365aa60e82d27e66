//! What accounts post: imported as tables, read from their feeds and lists, kept by account.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use futures_util::StreamExt as _;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use xunjian_crawl::Turns;
use xunjian_fetch::{Ask, Fetcher};
use xunjian_judge::Posts;
use xunjian_media::read_feed;
use xunjian_model::{Account, Host, LinkState, PageUrl, Post};
use xunjian_store::{Batch, Space, StoreError};

use crate::accounts::MediaImport;
use crate::cases::CaseError;
use crate::{Engine, EngineError};

/// Where posts are kept, each under its account and its name.
const POST: &[u8] = b"post";
const POSTS_IN_ONE: &[u8] = b"posts";
/// Newest posts kept of an account.
const POSTS_MAX: usize = 2_000;
/// Feeds that are asked for at once.
const FEEDS_AT_ONCE: usize = 8;
/// Feeds in a row that a host did not answer for, after which its others are not asked for.
const FAILURES_MAX: u32 = 3;

/// A feed that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FeedFault {
    /// The account.
    pub account: String,
    /// Why.
    pub reason: String,
}

/// How far an account's posts are known.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Heard {
    /// Up to this day.
    until: Date,
    /// The feed they were last read from.
    feed: String,
    /// Addresses of the posts it showed.
    listed: Vec<String>,
    /// Days of posts that were taken down, and the days they were seen to be: at a moment in between they were there.
    taken_down: Vec<(Date, Date)>,
}

impl Engine {
    /// Posts of an account, newest first.
    pub fn posts(&self, account: &str) -> Result<Vec<Post>, StoreError> {
        let rows = self.store().scan::<Post>(Space::Media, &[POST, account.as_bytes(), b""]);
        let kept: Result<Vec<Post>, _> = rows.map(|row| row.map(|(_, post)| post)).collect();
        let mut posts = kept?;
        posts.extend(self.posts_in_one(account)?.unwrap_or_default());
        posts.sort_by(|a, b| b.date.cmp(&a.date).then_with(|| a.url.cmp(&b.url)));
        Ok(posts)
    }

    /// Earlier versions kept all posts of an account in one value.
    fn posts_in_one(&self, account: &str) -> Result<Option<Vec<Post>>, StoreError> {
        self.store().get(Space::Media, &[POSTS_IN_ONE, account.as_bytes()])
    }

    /// The newest of an account's posts that were there on a day, and the day up to which they are known, if anybody
    /// told of them.
    pub(crate) fn posts_on(&self, account: &str, day: Date) -> Result<Posts, StoreError> {
        let heard = self.heard(account)?;
        let taken_down = heard.iter().flat_map(|heard| &heard.taken_down);
        let since = taken_down.filter(|(_, gone)| *gone > day).map(|(posted, _)| *posted);
        let mut newest = since.filter(|posted| *posted <= day).max();
        // The keys tell the days.
        let prefix = [POST, account.as_bytes(), b""].join(&0);
        for key in self.store().keys(Space::Media, &[POST, account.as_bytes(), b""]) {
            let key = key?;
            let posted =
                key.strip_prefix(&prefix[..]).and_then(|rest| rest.split(|byte| *byte == b' ').next());
            let posted = posted.and_then(|day| std::str::from_utf8(day).ok()?.parse::<Date>().ok());
            newest = newest.max(posted.filter(|posted| *posted <= day));
        }
        let in_one = self.posts_in_one(account)?.unwrap_or_default();
        newest = newest.max(in_one.iter().map(|post| post.date).filter(|posted| *posted <= day).max());
        Ok(Posts { newest, known_until: heard.map(|heard| heard.until) })
    }

    fn heard(&self, account: &str) -> Result<Option<Heard>, StoreError> {
        self.store().get(Space::Media, &[b"heard", account.as_bytes()])
    }

    /// Writes down that an account's posts are known up to a day.
    pub(crate) fn hear(&self, batch: &mut Batch<'_>, account: &str, day: Date) -> Result<(), StoreError> {
        let heard = self.heard(account)?;
        if heard.as_ref().is_some_and(|heard| heard.until >= day) {
            return Ok(());
        }
        let heard = Heard { until: day, ..heard.unwrap_or_default() };
        batch.put(Space::Media, &[b"heard", account.as_bytes()], &heard)
    }

    /// Takes a table of posts: the same post twice is one, a post that was changed takes the place of what was known
    /// of its address. Posts of accounts that are not in the ledger are refused, with their names.
    ///
    /// A table tells, up to the day it was written, of all accounts of its platforms, also of those that posted
    /// nothing; not of those that have a feed and are not in it.
    pub fn import_posts(
        &self,
        posts: Vec<(String, Post)>,
        written: Timestamp,
    ) -> Result<MediaImport, CaseError> {
        let accounts: BTreeMap<String, Account> =
            self.accounts()?.into_iter().map(|account| (account.key(), account)).collect();
        let mut by_account: BTreeMap<String, Vec<Post>> = BTreeMap::new();
        for (account, post) in posts {
            by_account.entry(account).or_default().push(post);
        }
        let strangers: Vec<&String> = by_account.keys().filter(|key| !accounts.contains_key(*key)).collect();
        if !strangers.is_empty() {
            let names: Vec<&str> = strangers.iter().take(10).map(|name| name.as_str()).collect();
            return Err(CaseError::Indicator(format!(
                "{} accounts are not in the ledger, such as {}: import the ledger first with `xunjian media import`",
                strangers.len(),
                names.join(", ")
            )));
        }
        let platforms: HashSet<&str> =
            by_account.keys().filter_map(|key| accounts.get(key)).map(|account| &*account.platform).collect();
        let mut import = MediaImport { accounts: by_account.len(), ..MediaImport::default() };
        let day = self.day(written);
        let mut batch = self.store().begin();
        for (key, account) in &accounts {
            let told = by_account.contains_key(key);
            if told || account.feed.is_none() && platforms.contains(&*account.platform) {
                self.hear(&mut batch, key, day)?;
            }
        }
        for (key, new) in by_account {
            let kept = self.posts(&key)?;
            let address = accounts.get(&key).and_then(|account| account.address.as_deref());
            let posts = merge(kept.clone(), new, address, &mut import);
            self.keep_posts(&mut batch, &key, &kept, posts)?;
        }
        batch.commit()?;
        Ok(import)
    }

    /// Reads the feeds and list pages of the ledger, that of the settings if they have one. A feed that cannot be
    /// read tells nothing.
    pub async fn read_feeds(&self) -> Result<(MediaImport, Vec<FeedFault>), EngineError> {
        self.take_ledger()?;
        let settings = self.settings();
        let fetcher = Fetcher::new(settings.fetch.clone(), &settings.network)?;
        let turns = self.turns(&fetcher)?;
        let deaf = Deaf::default();
        let with_feed = self.accounts()?.into_iter().filter_map(|account| {
            let feed = account.feed.clone()?;
            Some((account, feed))
        });
        let read = futures_util::stream::iter(with_feed.map(|(account, feed)| {
            let (fetcher, turns, deaf) = (&fetcher, &turns, &deaf);
            async move {
                let posts = self.read_feed(fetcher, turns, deaf, &feed).await;
                (account, feed, posts)
            }
        }));
        let mut read = read.buffer_unordered(FEEDS_AT_ONCE).ready_chunks(FEEDS_AT_ONCE);
        let (mut import, mut faults) = (MediaImport::default(), Vec::new());
        while let Some(ready) = read.next().await {
            let mut batch = self.store().begin();
            for (account, feed, posts) in ready {
                match posts {
                    Ok(posts) => self.take_listing(&mut batch, &account, &feed, posts, &mut import)?,
                    Err(reason) => faults.push(FeedFault { account: account.key(), reason }),
                }
            }
            batch.commit()?;
        }
        faults.sort_by(|a, b| a.account.cmp(&b.account));
        Ok((import, faults))
    }

    /// Whether a run has feeds to read, and may do so now.
    pub fn may_read_feeds(&self) -> Result<bool, StoreError> {
        let settings = self.settings();
        if !settings.feeds || settings.politeness.is_closed(Timestamp::now()) {
            return Ok(false);
        }
        let has_feed = |accounts: &[Account]| accounts.iter().any(|account| account.feed.is_some());
        match &settings.ledger {
            Some(ledger) => Ok(has_feed(&ledger.accounts)),
            None => Ok(has_feed(&self.accounts()?)),
        }
    }

    async fn read_feed(
        &self,
        fetcher: &Fetcher,
        turns: &Turns,
        deaf: &Deaf,
        feed: &str,
    ) -> Result<Vec<Post>, String> {
        let url = PageUrl::parse(feed).map_err(|error| error.to_string())?;
        let host = url.host_key();
        if deaf.is_deaf(&host) {
            return Err("its host did not answer for others".to_owned());
        }
        let answered = fetcher.fetch(Ask::get(url), turns).await;
        deaf.note(host, answered.is_ok());
        let answer = answered.map_err(|failure| failure.state.describe())?;
        if answer.state() != LinkState::Ok {
            return Err(answer.state().describe());
        }
        let media_type = answer.header("content-type");
        read_feed(&answer.final_url, media_type, &answer.body, &self.settings().zone)
            .map_err(|error| error.to_string())
    }

    /// Takes what an account's feed shows now.
    fn take_listing(
        &self,
        batch: &mut Batch<'_>,
        account: &Account,
        feed: &str,
        posts: Vec<Post>,
        import: &mut MediaImport,
    ) -> Result<(), StoreError> {
        let key = account.key();
        let today = self.day(Timestamp::now());
        let mut before = self.heard(&key)?.unwrap_or_default();
        let kept = self.posts(&key)?;
        let mut there = kept.clone();
        if before.feed == feed {
            let gone = taken_down(&before.listed, &kept, &posts);
            let is_gone = |post: &mut Post| gone.contains(&post.url);
            before.taken_down.extend(there.extract_if(.., is_gone).map(|post| (post.date, today)));
            before.taken_down.drain(..before.taken_down.len().saturating_sub(POSTS_MAX));
            import.posts_gone += gone.len();
        }
        let listed = posts.iter().map(|post| post.url.clone()).filter(|url| !url.is_empty());
        let listed = listed.take(POSTS_MAX).collect();
        let heard = Heard { until: today.max(before.until), feed: feed.to_owned(), listed, ..before };
        let posts = merge(there, posts, account.address.as_deref(), import);
        import.accounts += 1;
        self.keep_posts(batch, &key, &kept, posts)?;
        batch.put(Space::Media, &[b"heard", key.as_bytes()], &heard)
    }

    /// Keeps the newest of an account's posts; what was kept as it is is not written again.
    fn keep_posts(
        &self,
        batch: &mut Batch<'_>,
        account: &str,
        kept: &[Post],
        mut posts: Vec<Post>,
    ) -> Result<(), StoreError> {
        posts.sort_by_key(|post| std::cmp::Reverse(post.date));
        posts.truncate(POSTS_MAX);
        let mut old: HashSet<String> = kept.iter().map(name_of).collect();
        if self.posts_in_one(account)?.is_some() {
            batch.delete(Space::Media, &[POSTS_IN_ONE, account.as_bytes()]);
            old.clear();
        }
        for post in &posts {
            let name = name_of(post);
            if !old.remove(&name) {
                batch.put(Space::Media, &[POST, account.as_bytes(), name.as_bytes()], post)?;
            }
        }
        for name in &old {
            batch.delete(Space::Media, &[POST, account.as_bytes(), name.as_bytes()]);
        }
        Ok(())
    }
}

/// Under what a post is kept: its day, and a hash of what it says.
fn name_of(post: &Post) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in [&post.url, &post.title, &post.text] {
        hasher.update(part.as_bytes()).update(b"\0");
    }
    format!("{} {}", post.date, &hasher.finalize().to_hex()[..32])
}

/// Hosts that did not answer, and for how many feeds in a row.
#[derive(Default)]
struct Deaf(Mutex<HashMap<Host, u32>>);

impl Deaf {
    fn is_deaf(&self, host: &Host) -> bool {
        let failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        failures.get(host).is_some_and(|failures| *failures >= FAILURES_MAX)
    }

    fn note(&self, host: Host, answered: bool) {
        let mut failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let failures = failures.entry(host).or_default();
        *failures = if answered { 0 } else { *failures + 1 };
    }
}

/// Adds posts to those that are known.
///
/// An address names a post when only one has it, and it is not the account's own: some tables write that into each
/// row. What a post without a text is known to say stays.
fn merge(mut kept: Vec<Post>, new: Vec<Post>, account: Option<&str>, import: &mut MediaImport) -> Vec<Post> {
    let mut at_address: HashMap<String, usize> = HashMap::new();
    for post in &new {
        *at_address.entry(post.url.clone()).or_default() += 1;
    }
    for mut post in new {
        let names_it = !post.url.is_empty() && Some(&*post.url) != account && at_address[&post.url] == 1;
        let known: Vec<usize> = match names_it {
            true => (0..kept.len()).filter(|at| kept[*at].url == post.url).take(2).collect(),
            false => Vec::new(),
        };
        if let [at] = known[..] {
            if post.text.is_empty() {
                post.text.clone_from(&kept[at].text);
            }
            import.posts_changed += usize::from(kept[at] != post);
            kept[at] = post;
        } else if !kept.contains(&post) {
            import.posts += 1;
            kept.push(post);
        }
    }
    kept
}

/// Addresses of posts that a feed showed before and that were taken down since: it shows older ones. It is trusted
/// with that where it goes from the newest to the oldest, but for posts it keeps at its top, and shows some of what it
/// showed before.
fn taken_down(listed: &[String], kept: &[Post], now: &[Post]) -> HashSet<String> {
    let shown: HashSet<&str> = now.iter().map(|post| &*post.url).collect();
    let newest = now.iter().map(|post| post.date).max();
    let mut in_order = now.iter().map(|post| post.date).skip_while(|date| Some(*date) != newest);
    let mut oldest = in_order.next();
    let sorted = in_order.all(|date| oldest.replace(date).is_some_and(|before| date <= before));
    let goes_on = listed.iter().any(|url| shown.contains(&**url));
    let Some(oldest) = oldest.filter(|_| sorted && goes_on) else { return HashSet::new() };
    let missing: HashSet<&str> =
        listed.iter().map(String::as_str).filter(|url| !shown.contains(url)).collect();
    let gone = kept.iter().filter(|post| post.date > oldest && missing.contains(&*post.url));
    gone.map(|post| post.url.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn post(day: i8, url: &str, text: &str) -> Post {
        let date = jiff::civil::date(2026, 6, day);
        Post { date, title: "通知".to_owned(), text: text.to_owned(), url: url.to_owned() }
    }

    #[test]
    fn a_changed_post_takes_the_place_of_what_it_was() {
        let mut kept = Vec::new();
        let mut add = |posts: &[Post]| {
            let mut import = MediaImport::default();
            kept = merge(std::mem::take(&mut kept), posts.to_vec(), Some("home"), &mut import);
            ((import.posts, import.posts_changed), kept.clone())
        };
        assert_eq!(add(&[post(1, "a", "错字"), post(2, "", "x")]).0, (2, 0));
        assert_eq!(add(&[post(1, "a", "错字"), post(2, "", "x")]).0, (0, 0));
        let (counts, kept) = add(&[post(1, "a", "改正")]);
        assert_eq!((counts, kept[0].text.as_str(), kept.len()), ((0, 1), "改正", 2));
        // A list that shows titles alone does not take the text away.
        let (counts, kept) = add(&[post(3, "a", "")]);
        assert_eq!((counts, kept[0].text.as_str(), kept[0].date), ((0, 1), "改正", post(3, "", "").date));
        // What several posts have, or the account, is not the address of a post.
        assert_eq!(add(&[post(4, "b", "1"), post(4, "b", "2")]).0, (2, 0));
        assert_eq!(add(&[post(5, "b", "3")]).0, (1, 0));
        assert_eq!(add(&[post(6, "home", "1")]).0, (1, 0));
        assert_eq!(add(&[post(7, "home", "2")]).0, (1, 0));
    }

    #[test]
    fn only_what_a_feed_passes_over_was_taken_down() {
        let all: Vec<Post> =
            [(9, "e"), (8, "d"), (7, "c"), (6, "b"), (5, "a")].map(|(day, url)| post(day, url, "")).into();
        let listed: Vec<String> = all.iter().map(|post| post.url.clone()).collect();
        let gone = |now: &[(i8, &str)]| {
            let now: Vec<Post> = now.iter().map(|(day, url)| post(*day, url, "")).collect();
            let mut gone: Vec<String> = taken_down(&listed, &all, &now).into_iter().collect();
            gone.sort_unstable();
            gone.concat()
        };
        assert_eq!(gone(&[(9, "e"), (8, "d"), (6, "b"), (5, "a")]), "c");
        assert_eq!(gone(&[(8, "d"), (7, "c"), (6, "b"), (5, "a")]), "e");
        // Newer posts push the old ones out.
        assert_eq!(gone(&[(11, "g"), (10, "f"), (9, "e"), (8, "d"), (7, "c")]), "");
        // An old one kept at the top is not the end of the list.
        assert_eq!(gone(&[(1, "z"), (11, "g"), (10, "f"), (9, "e"), (8, "d")]), "");
        // In another order, or of other addresses, it shows nothing.
        assert_eq!(gone(&[(5, "a"), (6, "b"), (9, "e")]), "");
        assert_eq!(gone(&[(11, "1"), (4, "2")]), "");
    }
}
