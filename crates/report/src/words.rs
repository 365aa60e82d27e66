//! The report's words in both languages.

use xunjian_model::{Finding, FindingState, Kind, Severity};

use crate::Language;

pub(crate) fn state(state: FindingState) -> &'static str {
    match state {
        FindingState::New => "new",
        FindingState::Open => "open",
        FindingState::Relapsed => "relapsed",
        FindingState::Gone => "gone",
    }
}

/// How serious a finding is, in a word.
pub fn severity(severity: Severity, language: Language) -> &'static str {
    match (language, severity) {
        (Language::Zh, Severity::Serious) => "严重",
        (Language::Zh, Severity::Major) => "较重",
        (Language::Zh, Severity::Minor) => "一般",
        (Language::Zh, Severity::Info) => "提示",
        (Language::En, Severity::Serious) => "Serious",
        (Language::En, Severity::Major) => "Major",
        (Language::En, Severity::Minor) => "Minor",
        (Language::En, Severity::Info) => "Info",
    }
}

/// Names of a finding's details.
const DETAILS: [(&str, &str); 33] = [
    ("what", "内容"),
    ("review", "待复核的原因"),
    ("correction", "建议写法"),
    ("state", "结果"),
    ("text", "链接文字"),
    ("links", "链接数"),
    ("pages", "出现页数"),
    ("path", "位置"),
    ("bytes", "字节范围"),
    ("reason", "原因"),
    ("reasons", "原因"),
    ("why", "原因"),
    ("newest", "最新日期"),
    ("class", "栏目类别"),
    ("column", "栏目"),
    ("dictionary", "词典"),
    ("note", "说明"),
    ("rule", "规则"),
    ("since", "更名日期"),
    ("list", "列表中的日期"),
    ("date", "日期"),
    ("interpretation", "解读"),
    ("document", "文件"),
    ("asked", "提问日期"),
    ("answered", "答复日期"),
    ("missed", "未搜到的栏目类别"),
    ("titles", "搜索的标题"),
    ("search", "搜索地址"),
    ("account", "账号"),
    ("office", "主办单位"),
    ("days", "剩余天数"),
    ("until", "到期时间"),
    ("hidden", "隐藏"),
];

/// The details of a finding, name and value, as people read them.
pub fn details(finding: &Finding, language: Language) -> Vec<(String, String)> {
    let shown = |(name, value): (&String, &String)| {
        let known = DETAILS.iter().find(|(known, _)| known == name).filter(|_| language == Language::Zh);
        (known.map_or(name.as_str(), |(_, zh)| zh).to_owned(), detail(name, value, language))
    };
    finding.detail.iter().map(shown).collect()
}

/// The excerpt of a finding's evidence as people read it: what a page shows stays as it is.
pub fn excerpt(finding: &Finding, language: Language) -> String {
    let excerpt = &finding.evidence.excerpt;
    let state = excerpt.strip_prefix('⟦').and_then(|rest| rest.strip_suffix('⟧'));
    match state.filter(|_| finding.kind == Kind::Unreachable) {
        Some(state) => format!("⟦{}⟧", link_state(state, language)),
        None => excerpt.clone(),
    }
}

/// Why a finding is one, where it says so.
pub(crate) fn reason(finding: &Finding, language: Language) -> Option<String> {
    let (name, value) =
        ["reason", "why", "reasons"].iter().find_map(|name| finding.detail.get_key_value(*name))?;
    Some(detail(name, value, language))
}

fn detail(name: &str, value: &str, language: Language) -> String {
    match name {
        "review" | "reason" | "why" => language.said(value),
        "reasons" => {
            let apart = if language == Language::Zh { "；" } else { "; " };
            value.split("; ").map(|one| language.said(one)).collect::<Vec<_>>().join(apart)
        }
        "state" => link_state(value, language),
        _ => value.to_owned(),
    }
}

/// A link's state, such as `gone (404)`, as people say it.
pub fn link_state(state: &str, language: Language) -> String {
    let (word, rest) = state.split_once(' ').unwrap_or((state, ""));
    let zh = match word {
        "ok" => "正常",
        "gone" => "页面不存在",
        "forbidden" => "禁止访问",
        "limited" => "要求等待",
        "client-error" => "请求被拒绝",
        "server-error" => "服务器错误",
        "broken" => "应答有误",
        "robots" => "robots.txt 不允许",
        "no-such-host" => "域名无法解析",
        "refused" => "连接被拒绝",
        "soft-404" => "提示页面不存在",
        "private" => "内网地址",
        "tls" => "证书错误",
        "hijacked" => "内容被替换",
        "redirect-loop" => "循环跳转",
        "not-the-file" => "不是所说的文件",
        "timeout" => "超时",
        "challenged" => "网站防护要求浏览器校验",
        "bad-address" => "邮箱或电话有误",
        "local-file" => "指向本地文件",
        "malformed" => "不是有效网址",
        "no-fragment" => "页内位置不存在",
        _ => word,
    };
    let (word, rest) = if language == Language::Zh { (zh, fault_zh(rest)) } else { (word, rest.to_owned()) };
    format!("{word} {rest}").trim_end().to_owned()
}

/// The state of a home page of ours, with what is to be done where that is ours to do.
pub fn own_state(state: &str, language: Language) -> String {
    let told = link_state(state, language);
    match (state, language) {
        ("private", Language::Zh) => format!("{told}（如确在内网，请将其网段写入 `network.allow_private`）"),
        ("private", Language::En) => {
            format!("{told} (if it is meant to be there, list its network under `network.allow_private`)")
        }
        _ => told,
    }
}

/// What is wrong with a certificate, in Chinese where it is one of the usual faults.
fn fault_zh(fault: &str) -> String {
    match fault {
        "(expired)" => "(已过期)".to_owned(),
        "(not valid yet)" => "(尚未生效)".to_owned(),
        "(issued for another name)" => "(域名不符)".to_owned(),
        "(issued by nobody who is trusted)" => "(颁发者不受信任)".to_owned(),
        "(the server leaves out who issued its certificate)" => "(服务器未发送中间证书)".to_owned(),
        other => match other.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')) {
            Some(inner) => format!("({})", Language::Zh.said(inner)),
            None => other.to_owned(),
        },
    }
}

/// Why addresses were not asked for, such as `host-down`, as people say it.
pub fn left_out(word: &str, language: Language) -> String {
    let (zh, en) = match word {
        "robots" => ("robots.txt 不允许访问", "robots.txt forbids the visit"),
        "robots-unreachable" => {
            ("robots.txt 取不到，因此不访问", "robots.txt could not be fetched, which forbids the visit")
        }
        "host-down" => ("主机长时间无应答", "its host did not answer for too long"),
        "limited" => ("主机一直要求等待", "its host went on asking to wait"),
        "challenged" => ("防护未对巡检放行", "its firewall does not let the inspection through"),
        "elsewhere" => (
            "首页跳转到本站之外（可列入 hosts）",
            "the home address leads away from the site (`hosts` may name where)",
        ),
        "pages-max" => ("超出网站页面数上限", "beyond the site's budget of pages"),
        "bytes-max" => ("超出网站流量上限", "beyond the site's budget of bytes"),
        "time-max" => ("超出网站时间上限", "beyond the site's budget of time"),
        "depth-max" => ("离首页太远", "too far from the home page"),
        "waiting" => ("等待抓取", "still to be crawled"),
        "trap" => ("没有尽头的重复地址", "one of endless addresses that repeat each other"),
        "fault" => ("巡检程序自身出错，请告知开发者", "xunjian has a fault here, please tell its makers"),
        "not-due" => ("增量模式下未到访问时间", "not due in an incremental run"),
        _ => (word, word),
    };
    if language == Language::Zh { zh } else { en }.to_owned()
}

/// Every fixed text of the templates by name.
pub(crate) fn texts(language: Language) -> serde_json::Value {
    let pairs: &[(&str, &str, &str)] = &[
        ("title", "政府网站巡检报告", "Government website inspection"),
        ("run", "第 {} 次巡检", "Run {}"),
        ("point", "监测时间点", "Monitoring point"),
        ("started", "巡检时间", "Started"),
        ("under_way", "抓取尚未完成，以下为目前所见", "The crawl is not over; this is what was seen so far"),
        ("catalogue", "检查指标", "Standard"),
        ("pass_rate", "合格率", "Pass rate"),
        ("sites", "网站", "Sites"),
        ("pass", "合格", "Pass"),
        ("fail", "不合格", "Fail"),
        ("review", "待复核", "Review"),
        ("findings", "问题", "Findings"),
        ("new", "新发现", "New"),
        ("gone", "已消除", "Mended"),
        ("pages", "页面", "Pages"),
        ("attention", "今天先看这些", "Look at these first"),
        ("no_attention", "没有不合格或预警的网站。", "No site fails or is close to it."),
        ("all_sites", "全部网站", "All sites"),
        ("site", "网站名称", "Site"),
        ("kind", "类别", "Kind"),
        ("portal", "门户", "Portal"),
        ("department", "部门", "Department"),
        ("result", "结果", "Result"),
        ("score", "得分", "Score"),
        ("vetoes", "单项否决", "Vetoes"),
        ("warnings", "预警", "Warnings"),
        ("reviews", "待人工复核", "Waiting for a person"),
        ("by_kind", "问题分布", "Findings by kind"),
        ("where", "页面", "Page"),
        ("what", "发现", "Found"),
        ("excerpt", "摘录", "Excerpt"),
        ("indicator", "指标", "Indicator"),
        ("evidence", "存档", "Snapshot"),
        ("since", "首次发现", "Since"),
        ("correction", "应为", "should be"),
        ("template", "共 {} 页", "on {} pages"),
        ("no_findings", "没有发现问题。", "Nothing found."),
        ("more", "另有 {} 条，见 findings.csv。", "{} more are in findings.csv."),
        ("search", "筛选网站……", "Filter sites…"),
        ("legend", "按严重程度", "By severity"),
        ("snapshot_title", "存档页面", "Archived page"),
        ("fetched", "抓取时间", "Fetched"),
        ("hash", "内容摘要 (BLAKE3)", "Digest (BLAKE3)"),
        ("address", "地址", "Address"),
        ("colon", "：", ": "),
        ("charset", "字符编码", "Charset"),
        (
            "rendered",
            "页面外观（脚本与外部资源已停用，个人信息已遮盖）",
            "As rendered (scripts and outside resources off, personal numbers masked)",
        ),
        ("source", "页面源码", "Source"),
        ("cut", "后面还有，见存档。", "More in the archive."),
        ("left_out", "未访问", "Left out"),
        ("back", "返回顶部", "Top"),
        ("unverified", "指标数值未经官方文本核实", "figures not read in the official text"),
    ];
    let row = |(name, zh, en): &(&str, &str, &str)| {
        let text = if language == Language::Zh { zh } else { en };
        ((*name).to_owned(), serde_json::Value::from(*text))
    };
    serde_json::Value::Object(pairs.iter().map(row).collect())
}
