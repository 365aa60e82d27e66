//! What stands around an article on every page of a site and is none of it: tools, who edited it, a code to scan,
//! whatever else other articles have, too.

use std::collections::{HashSet, VecDeque};
use std::sync::LazyLock;

use regex::Regex;
use rustc_hash::{FxHashMap, FxHashSet};
use xunjian_model::{Canonical, Facts, Site};
use xunjian_store::{Digests, StoreError};

use crate::columns::Column;
use crate::digest::{Digest, url_hash};
use crate::fold::{CANDIDATES_MAX, Candidate};
use crate::page::target_hash;

/// Characters of a line of furniture, and of those that may be left of it.
const LINE_CHARS_MAX: usize = 80;
const LEFT_CHARS_MAX: usize = 2;

/// Who made an article, with his name; tools; how to see it on a phone.
#[allow(clippy::unwrap_used, reason = "a constant pattern, compiled in every test")]
static FURNITURE: LazyLock<Regex> = LazyLock::new(|| {
    let role = "(?:责任编辑|编辑|审核|审校|校对|审稿|初审|复审|终审|一审|二审|三审|撰稿|供稿|作者|摄影|签发|监制|信息员|来源)";
    let name = r"[：:\s]*[\p{Han}·]{2,4}(?:[、，,][\p{Han}·]{2,4})*";
    let tools = [
        "打印", "关闭", "本页", "窗口", "页面", "文章", "分享到?", "一键分享", "微信", "朋友圈", "好友",
        "新浪", "腾讯", "微博", "空间", "QQ", "人人网", "豆瓣", "贴吧", "百度", "收藏", "复制", "链接",
        "返回", "顶部", "列表", "首页", "上页", "上一级", "回到", "纠错", "朗读", "字体", "字号", "大", "中",
        "小", "默认", "浏览次数", "浏览", "点击数", "点击", "阅读", "次数", "次", "更多",
    ];
    let phone = "(?:微信|手机|使用|请|用)*(?:扫一扫|扫描|扫码|二维码)(?:[，,：:\\s]|在|手机|上|打开|浏览|查看|分享|关注|当前|本|此|页面?|二维码|到|朋友圈|我们|下方|上方|左侧|右侧)*";
    Regex::new(&format!("{phone}|{role}{name}|{}", tools.join("|"))).unwrap()
});

/// Whether a line is nothing else.
pub(crate) fn is_furniture(line: &str) -> bool {
    let chars = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).count();
    line.chars().count() <= LINE_CHARS_MAX
        && chars(line) > 0
        && FURNITURE.is_match(line)
        && chars(&FURNITURE.replace_all(line, "")) <= LEFT_CHARS_MAX
}

/// Columns whose first pages are compared, and of them those that have the same from which it is their template's.
const COLUMNS_MAX: usize = 200;
const COLUMNS_MIN: usize = 4;

/// What most first pages of a site's columns have: links and pictures of their template, in whatever box. Each with how
/// often it stands on most of them: what a box of news leads to stands once more in the column it is of.
pub(crate) struct Shared {
    links: FxHashMap<u64, usize>,
    /// Hashes of short lines.
    pub(crate) lines: FxHashSet<u32>,
}

/// On how many pages a link stands once, twice and so on.
type Times = [u16; 4];

impl Shared {
    /// What the digests of columns' pages have together.
    pub(crate) fn of(digests: &Digests<'_>, columns: &[Column]) -> Result<Self, StoreError> {
        let mut counts: FxHashMap<u64, Times> = FxHashMap::default();
        let mut lines: FxHashMap<u32, usize> = FxHashMap::default();
        let mut pages = 0;
        for column in columns.iter().take(COLUMNS_MAX) {
            let Some(digest) = digests.get::<Digest>(column.url.as_str())? else { continue };
            pages += 1;
            for line in digest.lines {
                *lines.entry(line).or_default() += 1;
            }
            for (link, times) in times(digest.links.into_iter()) {
                let counts = counts.entry(link).or_default();
                counts[times.clamp(1, counts.len()) - 1] += 1;
            }
        }
        let usual = |(link, counts): (u64, Times)| {
            let count: usize = counts.iter().map(|count| usize::from(*count)).sum();
            let mut upto = counts.iter().scan(0, |sum, count| {
                *sum += usize::from(*count);
                Some(*sum)
            });
            let times = upto.position(|upto| upto * 2 >= count)? + 1;
            (count >= COLUMNS_MIN && count * 2 >= pages).then_some((link, times))
        };
        lines.retain(|_, count| *count >= COLUMNS_MIN && *count * 2 >= pages);
        Ok(Self { links: counts.into_iter().filter_map(usual).collect(), lines: lines.into_keys().collect() })
    }

    /// The addresses of one page that are among it, by hash as they are written there, and those of them that stand
    /// there no more often than elsewhere.
    pub(crate) fn in_page(&self, facts: &Facts, site: &Site, canonical: &Canonical) -> [HashSet<u64>; 2] {
        let hashes = || facts.links.iter().map(|link| target_hash(&link.url, site, canonical));
        let times = times(hashes());
        let (mut shared, mut boxed) = (HashSet::new(), HashSet::new());
        for (link, hash) in facts.links.iter().zip(hashes()) {
            let Some(usual) = self.links.get(&hash) else { continue };
            shared.insert(url_hash(&link.url));
            if times[&hash] <= *usual {
                boxed.insert(url_hash(&link.url));
            }
        }
        [shared, boxed]
    }
}

/// How often each hash comes.
fn times(hashes: impl Iterator<Item = u64>) -> FxHashMap<u64, usize> {
    let mut times = FxHashMap::default();
    hashes.for_each(|hash| *times.entry(hash).or_default() += 1);
    times
}

/// Articles before and behind one, in the order of their addresses, that are looked at, and of them those that have a
/// line, a link or a picture which is their template's.
const NEIGHBOURS: usize = 4;
const SHARED_MIN: usize = 3;

/// What an article has that others may have, too.
#[derive(Clone, Copy)]
pub(crate) struct Parts<'d> {
    /// Hashes of what it links to and shows, and of its short lines.
    pub(crate) links: &'d [u64],
    pub(crate) lines: &'d [u32],
    pub(crate) has_text: bool,
}

/// What is left of an article that may be empty.
#[derive(Clone, Copy)]
pub(crate) struct Left<'d> {
    /// Hashes of what it leads to and shows itself, and of its lines.
    pub(crate) links: &'d [u64],
    pub(crate) lines: &'d [u32],
    /// A script may add something.
    pub(crate) in_doubt: bool,
}

/// Lines that are counted of a site; those of its template stand in the first of its articles.
const LINES_MAX: usize = 50_000;
/// Articles of a site from which a line that half of them have is its template's.
const ARTICLES_MIN: usize = 8;

/// Articles that have nothing but short lines, links and pictures: they are empty where these are their template's.
#[derive(Default)]
pub(crate) struct TemplateAlone {
    before: VecDeque<Neighbour>,
    waiting: VecDeque<Waiting>,
    known: Vec<Waiting>,
    articles: usize,
    /// How many articles have each line.
    lines: FxHashMap<u32, usize>,
}

struct Neighbour {
    links: Vec<u64>,
    lines: Vec<u32>,
    has_text: bool,
}

/// One whose neighbours are not all known.
struct Waiting {
    candidate: Candidate,
    /// What it has, and how many of its neighbours have it, too.
    links: Vec<(u64, usize)>,
    lines: Vec<(u32, usize)>,
    /// Neighbours with a text.
    texts: usize,
    /// A script may add one.
    in_doubt: bool,
    /// Neighbours that still come.
    left: usize,
}

impl Waiting {
    fn see(&mut self, neighbour: &Neighbour) {
        for (link, seen) in &mut self.links {
            *seen += usize::from(neighbour.links.contains(link));
        }
        for (line, seen) in &mut self.lines {
            *seen += usize::from(neighbour.lines.contains(line));
        }
        self.texts += usize::from(neighbour.has_text);
    }

    /// Whether what it has is its template's: lines that most articles have, or its neighbours, which have a text
    /// besides. Some may say the same, and nothing else.
    fn is_empty(&self, is_common: impl Fn(u32) -> bool) -> bool {
        let rare = || self.lines.iter().filter(|(line, _)| !is_common(*line));
        let has_texts = self.texts >= SHARED_MIN;
        self.links.iter().all(|(_, seen)| *seen >= SHARED_MIN)
            && rare().all(|(_, seen)| *seen >= SHARED_MIN)
            && (has_texts || !self.in_doubt && rare().next().is_none())
    }
}

impl TemplateAlone {
    /// Takes the next article, and how it would be told of if all that is left of it were its template's.
    pub(crate) fn add(&mut self, parts: Parts<'_>, alone: Option<(Candidate, Left<'_>)>) {
        self.articles += 1;
        for line in parts.lines {
            let is_full = self.lines.len() >= LINES_MAX;
            match self.lines.get_mut(line) {
                Some(count) => *count += 1,
                None if is_full => {}
                None => _ = self.lines.insert(*line, 1),
            }
        }
        let Parts { links, lines, has_text } = parts;
        let own = Neighbour { links: links.to_vec(), lines: lines.to_vec(), has_text };
        for waiting in &mut self.waiting {
            waiting.left -= 1;
            waiting.see(&own);
        }
        // The first one waits longest.
        if self.waiting.front().is_some_and(|waiting| waiting.left == 0) {
            self.known.extend(self.waiting.pop_front());
        }
        if let Some((candidate, left)) = alone.filter(|_| self.known.len() < CANDIDATES_MAX) {
            let mut waiting = Waiting {
                candidate,
                links: left.links.iter().map(|link| (*link, 0)).collect(),
                lines: left.lines.iter().map(|line| (*line, 0)).collect(),
                texts: 0,
                in_doubt: left.in_doubt,
                left: NEIGHBOURS,
            };
            self.before.iter().for_each(|neighbour| waiting.see(neighbour));
            self.waiting.push_back(waiting);
        }
        self.before.truncate(NEIGHBOURS - 1);
        self.before.push_front(own);
    }

    /// Those that are empty.
    pub(crate) fn end(self) -> Vec<Candidate> {
        let Self { waiting, known, articles, lines, .. } = self;
        let is_common =
            |line| articles >= ARTICLES_MIN && lines.get(&line).is_some_and(|count| *count * 2 >= articles);
        let empty = known.into_iter().chain(waiting).filter(|one| one.is_empty(is_common));
        empty.map(|one| one.candidate).collect()
    }
}

#[cfg(test)]
mod tests {
    use xunjian_model::Kind;

    use super::*;
    use crate::digest::PageFinding;

    #[test]
    fn lines_of_tools_and_names() {
        for line in [
            "【打印本页】 【关闭窗口】",
            "分享到： 微信 新浪微博 QQ空间",
            "扫一扫在手机打开当前页",
            "请使用微信扫一扫分享到朋友圈",
            "责任编辑：王小明",
            "（编辑：李静　审核：赵明华）",
            "初审：张三 复审：李四 终审：王五",
            "字体：[大 中 小] 打印 收藏",
            "浏览次数：",
        ] {
            assert!(is_furniture(line), "{line}");
        }
        for line in [
            "会议取消。",
            "同意。",
            "现将名单公布如下",
            "打印机采购结果公告",
            "责任编辑：王小明。经研究，任命张三为科长。",
            "关闭煤矿名单",
            "无",
            "",
        ] {
            assert!(!is_furniture(line), "{line}");
        }
    }

    #[test]
    fn what_neighbours_have_is_their_template_s() {
        type Page<'p> = (&'p [u64], &'p [u32], Option<(&'p [u64], bool)>);
        let candidate = |url: &str| Candidate {
            url: url.to_owned(),
            title: String::new(),
            snapshot: None,
            finding: PageFinding::new(Kind::EmptyArticle, "", ""),
        };
        let told = |pages: &[Page<'_>]| -> Vec<String> {
            let mut template = TemplateAlone::default();
            for (at, (links, lines, alone)) in pages.iter().enumerate() {
                let parts = Parts { links, lines, has_text: alone.is_none() };
                let left = |(links, in_doubt)| Left { links, lines, in_doubt };
                let alone = alone.map(|alone| (candidate(&at.to_string()), left(alone)));
                template.add(parts, alone);
            }
            template.end().into_iter().map(|one| one.url).collect()
        };
        let full: Page<'_> = (&[1, 7], &[5, 6], None);
        let empty: Page<'_> = (&[1, 7], &[5], Some((&[7], false)));
        let none: Page<'_> = (&[1], &[6], None);
        assert_eq!(told(&[full, full, empty, full]), ["2"]);
        assert_eq!(told(&[empty, full, full, full, full]), ["0"]);
        assert_eq!(told(&[full, full, full, empty]), ["3"]);
        assert!(told(&[none, empty, none, full]).is_empty());
        // A picture, a line of its own.
        assert!(told(&[full, full, full, (&[7, 8], &[5], Some((&[7, 8], false))), full]).is_empty());
        assert!(told(&[full, full, full, (&[7], &[5, 9], Some((&[7], false))), full]).is_empty());
        // A script may add a text where it has to add it everywhere.
        let scripted: Page<'_> = (&[1, 7], &[5], Some((&[7], true)));
        assert!(told(&[scripted, scripted, scripted, scripted]).is_empty());
        assert_eq!(told(&[full, scripted, full, full]), ["1"]);
        // What several say is a text, however short.
        assert!(told(&[empty, empty, empty, empty]).is_empty());
        let (common, rare): (Page<'_>, Page<'_>) = (empty, (&[1, 7], &[9], Some((&[7], false))));
        let all = [full, full, full, full, full, rare, rare, common, common, common];
        assert_eq!(told(&all), ["7", "8", "9"], "most have the line of the last three");
        let bare: Page<'_> = (&[1, 7], &[], Some((&[7], false)));
        assert_eq!(told(&[bare, bare, bare, bare]), ["0", "1", "2", "3"]);
    }
}
