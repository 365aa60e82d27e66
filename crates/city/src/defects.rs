//! Planted defects and the traps that look like them.
//!
//! The plan of a site is a few hundred rows at most, whatever its number of pages.

use std::collections::HashMap;

use fastrand::Rng;

use crate::address::PageRef;
use crate::plan::{Class, Family, Fate, SitePlan};
use crate::rng::{mix, pick, rng};
use crate::text;
use crate::words::{OUTDATED, PLACEHOLDERS, SENSITIVE, SPAM, TYPOS};

/// Most defects a site is given.
const DEFECTS_MAX: u32 = 400;
/// Days after which every repair and every new defect has happened.
const DAYS: u32 = 5;

/// How a defect shows on its page.
#[derive(Clone, Debug)]
pub(crate) enum Payload {
    /// A paragraph of HTML in the article's body.
    Html(String),
    /// Another title.
    Title(String),
    /// Nothing in the body.
    NoBody,
    /// No date on the page nor in the list.
    NoDate,
    /// The page shows and labels another date, days after the true one.
    ShiftDate(i64),
    /// Lists show another date than the page.
    ShiftList(i64),
    /// Only the label is shifted.
    ShiftLabel(i64),
    /// A label is left out.
    WithoutLabel(&'static str),
    /// A label has this content.
    LabelContent(&'static str, String),
    /// Search engines are shown something else.
    Cloak(String),
    /// A change of the special parts of guides, policies and messages.
    Special(Special),
}

/// Faults of page families with parts of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Special {
    InterpretationMissing,
    InterpretationUnlinked,
    GuideElements,
    GuideAddress,
    GuideMaterial,
    PolicyNameOnly,
    MessageOverdue,
}

/// One planted defect.
#[derive(Clone, Debug)]
pub(crate) struct Defect {
    pub(crate) kind: &'static str,
    pub(crate) column: usize,
    pub(crate) at: u32,
    pub(crate) what: Option<String>,
    pub(crate) payload: Payload,
    from: u32,
    until: u32,
}

impl Defect {
    pub(crate) fn active(&self, day: u32) -> bool {
        (self.from..self.until).contains(&day)
    }

    pub(crate) fn page(&self) -> PageRef {
        PageRef::Article { column: self.column, at: self.at }
    }
}

/// The defects and traps of a site.
#[derive(Debug, Default)]
pub(crate) struct Plants {
    pub(crate) defects: Vec<Defect>,
    by_page: HashMap<(usize, u32), usize>,
    traps: HashMap<(usize, u32), String>,
    /// Answers "200" for what does not exist.
    pub(crate) soft_host: bool,
    /// Links on the home page: HTML with what they lead to.
    pub(crate) home: Vec<(&'static str, String, String)>,
}

impl Plants {
    pub(crate) fn at(&self, column: usize, at: u32, day: u32) -> Option<&Defect> {
        let defect = &self.defects[*self.by_page.get(&(column, at))?];
        defect.active(day).then_some(defect)
    }

    pub(crate) fn trap(&self, column: usize, at: u32) -> Option<&str> {
        self.traps.get(&(column, at)).map(String::as_str)
    }

    /// The faults a notice names of a site, and no other.
    pub(crate) fn of_notice(site: &SitePlan) -> Self {
        let mut plants = Self::default();
        let mut add = |kind: &'static str, class: Class, special: Special| {
            let Some(column) = site.columns.iter().position(|column| column.class == class) else { return };
            let Some(at) = site.count(column, 0).checked_sub(1) else { return };
            // Documents without an interpretation are the newest ones that would have one.
            let at = if special == Special::InterpretationMissing {
                site.interpreted(0).saturating_sub(1)
            } else {
                at
            };
            plants.by_page.insert((column, at), plants.defects.len());
            let payload = Payload::Special(special);
            plants.defects.push(Defect { kind, column, at, what: None, payload, from: 0, until: u32::MAX });
        };
        match site.index {
            0 | 2..14 => add("interpretation-missing", Class::Policy, Special::InterpretationMissing),
            14..19 => add("guide-address-vague", Class::Service, Special::GuideAddress),
            19..21 => add("guide-material-vague", Class::Service, Special::GuideMaterial),
            21..23 => add("policy-name-only", Class::Service, Special::PolicyNameOnly),
            _ => {}
        }
        plants
    }

    pub(crate) fn new(site: &SitePlan) -> Self {
        let mut rng = rng(&[site.seed, 11]);
        let mut plants = Self { soft_host: rng.u8(..8) == 0, ..Self::default() };
        if site.down() {
            return plants;
        }
        // Every article but a column's newest three may carry one defect or one trap.
        let mut places: Vec<(usize, u32)> = Vec::new();
        for column in 0..site.columns.len() {
            let free = site.count(column, 0).saturating_sub(3);
            let step = (free / 300).max(1);
            places.extend((0..free).step_by(step as usize).map(|at| (column, at)));
        }
        rng.shuffle(&mut places);
        let wanted = ((places.len() / 4) as u32).clamp(6, DEFECTS_MAX);
        let offset = rng.usize(..64);
        let mut kinds = page_kinds(site);
        rng.shuffle(&mut kinds);
        for number in 0..wanted {
            let kind = kinds[(offset + number as usize) % kinds.len()];
            let fits = |class: Class| match kind {
                "interpretation-missing" => class == Class::Policy,
                "interpretation-unlinked" => class == Class::Interpretation,
                k if k.starts_with("guide") || k == "policy-name-only" => class == Class::Service,
                // Petitions are none of the channels that count.
                "message-overdue" => class == Class::Interaction && site.fate != Fate::NoChannel,
                // Emptying a guide or a message would also be another fault.
                "empty-article" => class == Class::News || class == Class::Notice,
                // A message always shows when it was asked and answered.
                "undated-page" => class != Class::Interaction,
                _ => true,
            };
            let Some(place) = places.iter().rposition(|(column, _)| fits(site.columns[*column].class)) else {
                continue;
            };
            let (column, at) = places.swap_remove(place);
            let (kind, what, payload) = plant(kind, site, &plants, &mut rng, number);
            let (from, until) = match rng.u8(..10) {
                0 => (0, 1 + rng.u32(..DAYS)),
                1 | 2 => (1 + rng.u32(..DAYS), u32::MAX),
                _ => (0, u32::MAX),
            };
            plants.by_page.insert((column, at), plants.defects.len());
            plants.defects.push(Defect { kind, column, at, what, payload, from, until });
        }
        for _ in 0..places.len().min(DEFECTS_MAX as usize) / 4 {
            let Some((column, at)) = places.pop() else { break };
            plants.traps.insert((column, at), trap(site, &mut rng));
        }
        for number in 0..2 {
            let kind = ["dead-link", "dead-image", "private-link"][rng.usize(..3)];
            let (kind, what, payload) = plant(kind, site, &plants, &mut rng, 9_000 + number);
            if let (Some(what), Payload::Html(html)) = (what, payload) {
                plants.home.push((kind, what, html));
            }
        }
        plants
    }
}

fn page_kinds(site: &SitePlan) -> Vec<&'static str> {
    let mut kinds = vec![
        "dead-link", "dead-link", "dead-image", "dead-attachment", "soft-404", "tls-error", "private-link",
        "hijacked-link", "typo", "typo", "outdated-name", "sensitive-word", "spam-injection", "hidden-link",
        "cloaking", "privacy-id-card", "privacy-mobile", "privacy-bank-card", "placeholder-text",
        "empty-article", "future-date", "typo", "interpretation-missing", "interpretation-unlinked",
        "guide-element-missing", "guide-address-vague", "guide-material-vague", "policy-name-only",
        "message-overdue",
    ];
    if site.https {
        kinds.extend(["mixed-content", "mixed-content"]);
    }
    if site.family != Family::Bare {
        kinds.extend(["date-conflict", "missing-label", "bad-label"]);
    }
    if matches!(site.family, Family::Bare | Family::Div | Family::Script | Family::Odd | Family::Json) {
        kinds.push("undated-page");
    }
    kinds
}

/// Scripts that send visitors of search engines to TARGET.
const SCRIPTS: [&str; 2] = [
    "<script>if(/baidu|sogou|so\\.com/i.test(document.referrer)){location.href=\"TARGET\";}</script>",
    "<script>var engines=/\\.(sogou|baidu|google|youdao)(\\.[a-z0-9\\-]+){1,2}\\//ig;\nvar from=document.referrer;\n\
     if(engines.test(from)){ window.location.replace('TARGET') }</script>",
];

fn plant(
    kind: &'static str,
    site: &SitePlan,
    plants: &Plants,
    rng: &mut Rng,
    number: u32,
) -> (&'static str, Option<String>, Payload) {
    let origin = site.origin();
    let tag = mix(&[site.seed, 12, u64::from(number)]) % 90_000 + 10_000;
    let anchor = |rng: &mut Rng, href: &str| {
        let lead = text::sentence(rng);
        let name = text::title(rng);
        Payload::Html(format!("<p>{lead}详见<a href=\"{href}\">{name}</a>。</p>"))
    };
    // As an anchor, an entry of a menu, or something to click on.
    let linked = |rng: &mut Rng, href: &str| {
        let form = rng.u8(..6);
        if form > 1 {
            return anchor(rng, href);
        }
        let (lead, name) = (text::sentence(rng), text::title(rng));
        Payload::Html(match form {
            0 => format!(
                "<p>{lead}</p><select onchange=\"if(this.value)window.open(this.value)\"><option value=\"\">相关链接</option><option value=\"{href}\">{name}</option></select>"
            ),
            _ => format!(
                "<p>{lead}详见<span class=\"link\" onclick=\"window.open('{href}')\">{name}</span>。</p>"
            ),
        })
    };
    let around = |rng: &mut Rng, phrase: &str| {
        let (before, after) = (text::sentence(rng), text::sentence(rng));
        Payload::Html(format!("<p>{before}工作中，{phrase}，{after}</p>"))
    };
    match kind {
        "dead-link" => {
            let (href, inside) = match rng.u8(..5) {
                0 | 1 => (format!("{origin}/gone/{tag}.html"), true),
                2 => (format!("http://p{tag}.nx-sim.cn/"), false),
                3 => (format!("http://closed-sim.cn/{tag}.html"), false),
                _ => (format!("http://www.xinwen-sim.com.cn/lost/{tag}.html"), false),
            };
            // On a host that answers "200" for everything the same link is a soft 404.
            let kind = if inside && plants.soft_host { "soft-404" } else { kind };
            (kind, Some(href.clone()), linked(rng, &href))
        }
        "soft-404" => {
            let href = format!("{origin}/soft/{tag}.html");
            (kind, Some(href.clone()), anchor(rng, &href))
        }
        "dead-image" => {
            let lost = format!("{origin}/images/lost-{tag}.png");
            let (src, picture) = match rng.u8(..6) {
                // Pasted from a text on the editor's own computer.
                0 => {
                    let src = format!("file:///C:/Users/ADMINI~1/AppData/Local/Temp/ksohtml/wps{tag}.png");
                    (src.clone(), format!("src=\"{src}\""))
                }
                1 => (lost.clone(), format!("src=\"/images/ok-1.png\" data-original=\"{lost}\"")),
                _ => (lost.clone(), format!("src=\"{lost}\"")),
            };
            let html = format!("<p>{}</p><p><img {picture} alt=\"\"></p>", text::sentence(rng));
            (kind, Some(src), Payload::Html(html))
        }
        "dead-attachment" => {
            let (what, href) = match rng.u8(..5) {
                0 => (
                    format!("{origin}/files/lost-{tag}.pdf"),
                    format!("/pdfjs/web/viewer.html?file=%2Ffiles%2Flost-{tag}.pdf"),
                ),
                1 | 2 => (format!("{origin}/files/lost-{tag}.pdf"), format!("{origin}/files/lost-{tag}.pdf")),
                _ => (format!("{origin}/files/html-{tag}.docx"), format!("{origin}/files/html-{tag}.docx")),
            };
            let html = format!(
                "<p>{}</p><p>附件：<a href=\"{href}\">{}</a></p>",
                text::sentence(rng),
                text::title(rng)
            );
            (kind, Some(what), Payload::Html(html))
        }
        "tls-error" => {
            let host = ["expired-tls-sim.cn", "wrong-name-sim.cn", "selfsigned-sim.cn"];
            let href = format!("https://{}/{tag}", pick(rng, &host));
            (kind, Some(href.clone()), anchor(rng, &href))
        }
        "private-link" => {
            let href = match rng.bool() {
                true => format!("http://192.168.{}.{}/oa/{tag}", rng.u8(1..9), rng.u8(2..250)),
                false => format!("http://10.1.{}.{}:8080/{tag}", rng.u8(1..9), rng.u8(2..250)),
            };
            (kind, Some(href.clone()), anchor(rng, &href))
        }
        "hijacked-link" => {
            let zone = if rng.bool() { "lapsed-sim.cn" } else { "parked-sim.com" };
            let href = format!("http://t{tag}.{zone}/");
            (kind, Some(href.clone()), anchor(rng, &href))
        }
        "mixed-content" => {
            let src = format!("http://www.xinwen-sim.com.cn/images/ok-{tag}.png");
            let html = format!("<p>{}<img src=\"{src}\" alt=\"\"></p>", text::sentence(rng));
            (kind, Some(src), Payload::Html(html))
        }
        "typo" => {
            let (phrase, wrong) = TYPOS[rng.usize(..TYPOS.len())];
            let what = Some(wrong.to_owned());
            if rng.u8(..4) == 0 {
                let title = format!("{}{phrase}{}", text::place(rng), "有关事项的说明");
                return (kind, what, Payload::Title(title));
            }
            (kind, what, around(rng, phrase))
        }
        "outdated-name" => {
            let name = pick(rng, &OUTDATED);
            (kind, Some(name.to_owned()), around(rng, &format!("请向{name}提出申请")))
        }
        "sensitive-word" => {
            let word = pick(rng, &SENSITIVE);
            (kind, Some(word.to_owned()), around(rng, &format!("转发了{word}的消息")))
        }
        "placeholder-text" => {
            let phrase = pick(rng, &PLACEHOLDERS);
            (kind, Some(phrase.to_owned()), Payload::Html(format!("<p>{phrase}</p>")))
        }
        "spam-injection" if rng.u8(..5) == 0 => {
            let host = format!("js{tag}.shop-sim.com");
            let html = format!("<script src=\"//{host}/j/{tag}.js\"></script>");
            (kind, Some(host), Payload::Html(html))
        }
        "spam-injection" => {
            let phrase = pick(rng, &SPAM);
            let shown: String = match rng.u8(..5) {
                0 => phrase.chars().flat_map(|c| [c, '\u{200B}']).collect(),
                1 => phrase.chars().flat_map(|c| [c, '*']).collect(),
                _ => phrase.to_owned(),
            };
            let html = match rng.bool() {
                true => format!("<div style=\"display:none\">{shown}，首选平台</div>"),
                false => format!("<p>{shown}，首选平台</p>"),
            };
            (kind, Some(phrase.to_owned()), Payload::Html(html))
        }
        "hidden-link" => {
            let href = format!("http://x{tag}.shop-sim.com/");
            let style =
                ["display:none", "position:absolute;left:-9999px", "font-size:0;height:0;overflow:hidden"];
            let html = format!(
                "<div style=\"{}\"><a href=\"{href}\">{}</a></div>",
                pick(rng, &style),
                text::place(rng)
            );
            (kind, Some(href), Payload::Html(html))
        }
        "cloaking" => {
            let spam = pick(rng, &SPAM).to_owned();
            // Some show the engines another page, some send away who comes from one.
            let payload = match SCRIPTS.get(tag as usize % (SCRIPTS.len() * 2)) {
                Some(script) => {
                    Payload::Html(script.replace("TARGET", &format!("http://x{tag}.shop-sim.com/")))
                }
                None => Payload::Cloak(spam),
            };
            (kind, None, payload)
        }
        "privacy-id-card" => {
            let number = id_card(rng);
            let masked = mask(&number, 2, 3);
            let html = format!("<p>{}，身份证号：{number}，已审核。</p>", text::person(rng));
            (kind, Some(masked), Payload::Html(html))
        }
        "privacy-mobile" => {
            let number = mobile(rng);
            let masked = mask(&number, 3, 4);
            let html = format!("<p>受助人{}，手机{number}，家庭困难。</p>", text::person(rng));
            (kind, Some(masked), Payload::Html(html))
        }
        "privacy-bank-card" => {
            let number = bank_card(rng);
            let masked = mask(&number, 4, 4);
            let html = format!("<p>{}，银行卡号{number}，补贴已发放。</p>", text::person(rng));
            (kind, Some(masked), Payload::Html(html))
        }
        "empty-article" => (kind, None, Payload::NoBody),
        "undated-page" => (kind, None, Payload::NoDate),
        "future-date" => (kind, None, Payload::ShiftDate(4_000 + rng.i64(0..300))),
        // Lists that a script fills are seen by a browser alone, and some show no year, or no day at all.
        "date-conflict"
            if site.family != Family::Script
                && !site.leaves_out_years()
                && !site.lists_pictures()
                && rng.u8(..3) == 0 =>
        {
            (kind, None, Payload::ShiftList(-(30 + rng.i64(0..300))))
        }
        "date-conflict" => (kind, None, Payload::ShiftLabel(-(30 + rng.i64(0..300)))),
        "missing-label" => {
            let label = pick(rng, &["ArticleTitle", "PubDate", "ContentSource", "SiteIDCode"]);
            (
                kind,
                Some(label.to_owned()),
                Payload::WithoutLabel(match label {
                    "ArticleTitle" => "ArticleTitle",
                    "PubDate" => "PubDate",
                    "ContentSource" => "ContentSource",
                    _ => "SiteIDCode",
                }),
            )
        }
        "bad-label" => {
            let (label, content) = match rng.u8(..3) {
                0 => ("SiteIDCode", "12345".to_owned()),
                1 => ("PubDate", String::new()),
                _ => ("ArticleTitle", text::title(rng)),
            };
            (kind, Some(label.to_owned()), Payload::LabelContent(label, content))
        }
        "interpretation-missing" => (kind, None, Payload::Special(Special::InterpretationMissing)),
        "interpretation-unlinked" => (kind, None, Payload::Special(Special::InterpretationUnlinked)),
        "guide-element-missing" => {
            (kind, Some("收费标准".to_owned()), Payload::Special(Special::GuideElements))
        }
        "guide-address-vague" => (kind, None, Payload::Special(Special::GuideAddress)),
        "guide-material-vague" => (kind, None, Payload::Special(Special::GuideMaterial)),
        "policy-name-only" => (kind, None, Payload::Special(Special::PolicyNameOnly)),
        _ => ("message-overdue", None, Payload::Special(Special::MessageOverdue)),
    }
}

fn trap(site: &SitePlan, rng: &mut Rng) -> String {
    let sentence = text::sentence(rng);
    let html = match rng.u8(..23) {
        0 => "台风在沿海登陆后强度逐渐减弱。".to_owned(),
        1 => "原国土资源局形成的档案已移交。".to_owned(),
        2 => format!("统一社会信用代码：91150900MA0N{:06}。", rng.u32(..1_000_000)),
        3 => format!("受理编号：2013{:09}88，请妥善保存。", rng.u32(..1_000_000_000)),
        4 => {
            // One digit off: fails the Luhn check.
            let card = bank_card(rng);
            let last = (card.as_bytes()[card.len() - 1] - b'0' + 1) % 10;
            format!("合同编号{}{last}。", &card[..card.len() - 1])
        }
        5 => format!("如有疑问，请拨打{}。", site.hotline),
        6 => "各级监察部门和农业部门要密切配合。".to_owned(),
        7 => "参照《国家旅游局2015年公告》执行。".to_owned(),
        8 => "<span class=\"menu\" style=\"display:none\"><a href=\"/\">返回首页</a></span>办事群众较多。"
            .to_owned(),
        9 => format!("流水号{}，供查询使用。", 110_101_199_013_000_000_u64 + rng.u64(..999_999)),
        10 => "请登录系统后办理，一旦发现问题及时反馈。".to_owned(),
        11 => "本项工作计划于2035年前后全部完成。".to_owned(),
        12 => "时任国家粮食局负责人曾来此调研。".to_owned(),
        13 => "<a href=\"{{item.url}}\">{{item.title}}</a>由脚本填写。".to_owned(),
        14 => "<select onchange=\"location.href=this.value\"><option value=\"\">请选择</option><option value=\"/\">返回首页</option></select>可供选择。"
            .to_owned(),
        15 => "<span onclick=\"window.open('/')\">打开首页</span>即可查看。".to_owned(),
        16 => "据美国媒体报道，美国农业部近日公布数据；泰国副总理兼卫生部长来访。".to_owned(),
        17 => "国家矿山安全监察局、国家海洋局、国务院侨务办公室联合转发。".to_owned(),
        18 => "重庆市文化和旅游发展委员会与市文化广电旅游局开展对口支援交流。".to_owned(),
        19 => "民警提醒：刷单返利、裸聊敲诈、注册送彩金都是骗局，切勿轻信。".to_owned(),
        20 => "<script>function sousuo(){ window.location = \"/search/?q=\" + document.title; }</script>可在站内查找。"
            .to_owned(),
        21 => "<script>if(/Android|iPhone/.test(navigator.userAgent)){location.href='/m/';}</script>手机也可办理。"
            .to_owned(),
        _ => "严厉打击网络赌博和发布虚假广告的行为。".to_owned(),
    };
    format!("<p>{sentence}{html}</p>")
}

fn mask(number: &str, head: usize, tail: usize) -> String {
    let stars = "*".repeat(number.len() - head - tail);
    format!("{}{stars}{}", &number[..head], &number[number.len() - tail..])
}

/// A number that passes GB 11643's checksum and belongs to nobody's real birthday list.
fn id_card(rng: &mut Rng) -> String {
    let area = pick(rng, &["150902", "110101", "150921", "320106", "510104"]);
    let head = format!(
        "{area}{}{:02}{:02}{:03}",
        rng.u16(1950..2005),
        rng.u8(1..13),
        rng.u8(1..29),
        rng.u16(1..999)
    );
    let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = head.bytes().zip(weights).map(|(d, w)| u32::from(d - b'0') * w).sum();
    format!("{head}{}", "10X98765432".as_bytes()[(sum % 11) as usize] as char)
}

fn mobile(rng: &mut Rng) -> String {
    let head = pick(rng, &["138", "139", "150", "151", "186", "177", "158"]);
    format!("{head}{:08}", rng.u32(..100_000_000))
}

fn bank_card(rng: &mut Rng) -> String {
    let head = pick(rng, &["622202", "621700", "622848", "621661"]);
    let body = format!("{head}{:012}", rng.u64(..1_000_000_000_000));
    let sum: u32 = body
        .bytes()
        .rev()
        .enumerate()
        .map(|(at, d)| {
            let digit = u32::from(d - b'0');
            if at % 2 == 0 {
                let twice = digit * 2;
                twice / 10 + twice % 10
            } else {
                digit
            }
        })
        .sum();
    format!("{body}{}", (10 - sum % 10) % 10)
}
