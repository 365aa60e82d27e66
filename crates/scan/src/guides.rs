//! Service guides: their ten element classes, address, materials and cited policies (V6, D8, D25).

use std::sync::LazyLock;

use regex::Regex;
use xunjian_model::{Facts, Kind, LinkKind, PageKind};

use crate::digest::PageFinding;
use crate::elements::{Part, parts};

/// The classes of the standard with the words they go by.
const CLASSES: [&[&str]; 10] = [
    &["事项名称", "项目名称", "服务名称"],
    &["设定依据", "办理依据", "法律依据", "实施依据", "政策依据", "审批依据"],
    &["申请条件", "办理条件", "受理条件", "申报条件", "审批条件"],
    &["办理材料", "申请材料", "申报材料", "所需材料", "提交材料", "材料清单"],
    &["办理地点", "办理地址", "受理地点", "办公地址", "窗口地址", "办事地点"],
    &["办理机构", "实施机构", "实施主体", "受理机构", "办理部门", "承办机构", "责任部门"],
    &["收费标准", "收费情况", "是否收费", "收费依据"],
    &["办理时间", "办公时间", "受理时间", "工作时间", "服务时间"],
    &["联系电话", "咨询电话", "咨询方式", "联系方式"],
    &["办理流程", "办事流程", "办理程序", "审批流程", "受理流程"],
];
const BASIS: usize = 1;
const MATERIALS: usize = 3;
const ADDRESS: usize = 4;
/// Classes that notices and news do not have: a page with two of them is a guide.
const OWN: [usize; 5] = [BASIS, 2, MATERIALS, 6, 9];
/// Classes from which a page is taken for a guide.
const GUIDE_CLASSES_MIN: usize = 4;
/// Characters of a basis from which it tells the policy's text, not its name alone.
const BASIS_TEXT_CHARS: usize = 80;

#[allow(clippy::unwrap_used, reason = "constant patterns, compiled in every test")]
fn pattern(text: &str) -> Regex {
    Regex::new(text).unwrap()
}

/// A street with a number.
static STREET: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?:路|街|巷|道|胡同|弄|里)[^，。；;]{0,10}?(?:[0-9０-９]+|[一二三四五六七八九十百]+)(?:[-—之][0-9]+)?\s*号",
    )
});
/// In which form a material is handed in.
static FORM: LazyLock<Regex> =
    LazyLock::new(|| pattern("原件|复印件|电子|扫描件|纸质|打印件|影印件|正本|副本"));
/// How many copies of it.
static COPIES: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?:[0-9０-９]+|[一二两三四五六七八九十壹贰叁]+)\s*(?:份|套|张|册)|份数"));

/// Whether a page is a service guide; its faults, if it is.
pub(crate) fn check(facts: &Facts, findings: &mut Vec<PageFinding>) -> bool {
    if matches!(facts.kind, PageKind::List | PageKind::Document) {
        return false;
    }
    let names = CLASSES;
    let found = parts(facts, &names);
    let own = found.iter().filter(|part| OWN.contains(&part.which)).count();
    if found.len() < GUIDE_CLASSES_MIN || own < 2 {
        return false;
    }
    let part = |which: usize| found.iter().find(|part| part.which == which && !part.text.is_empty());
    for (which, words) in CLASSES.iter().enumerate() {
        if part(which).is_none() {
            let excerpt = format!("⟦{}⟧", facts.title);
            findings.push(PageFinding::new(Kind::GuideElementMissing, words[0], excerpt));
        }
    }
    let told = |kind, part: &Part| {
        PageFinding::new(kind, "", format!("{}：⟦{}⟧", CLASSES[part.which][0], short(&part.text)))
    };
    if let Some(address) = part(ADDRESS).filter(|address| !STREET.is_match(&address.text)) {
        findings.push(told(Kind::GuideAddressVague, address));
    }
    if let Some(materials) = part(MATERIALS) {
        let listed = has_link(facts, materials);
        let told_whole = FORM.is_match(&materials.text) && COPIES.is_match(&materials.text);
        if !listed && !told_whole {
            findings.push(told(Kind::GuideMaterialVague, materials));
        }
    }
    if let Some(basis) = part(BASIS) {
        let named = basis.text.contains('《');
        let quoted = basis.text.chars().count() >= BASIS_TEXT_CHARS;
        if named && !quoted && !has_link(facts, basis) {
            findings.push(told(Kind::PolicyNameOnly, basis));
        }
    }
    true
}

/// Whether a part leads to a page or a file.
fn has_link(facts: &Facts, part: &Part) -> bool {
    facts.links.iter().any(|link| {
        part.blocks.contains(&(link.block as usize))
            && matches!(link.kind, LinkKind::Page | LinkKind::Attachment)
    })
}

fn short(text: &str) -> String {
    const CHARS_MAX: usize = 60;
    let cut = text.char_indices().nth(CHARS_MAX).map_or(text.len(), |(at, _)| at);
    text[..cut].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use xunjian_model::PageUrl;

    fn faults(rows: &[(&str, &str)]) -> Option<Vec<(Kind, String)>> {
        let rows: String =
            rows.iter().map(|(name, value)| format!("<tr><th>{name}</th><td>{value}</td></tr>")).collect();
        let html = format!("<title>办理</title><div class=main><h1>办理</h1><table>{rows}</table></div>");
        let url = PageUrl::parse("http://a.gov.cn/1.html").expect("url");
        let limits = xunjian_page::Limits::default();
        let facts = xunjian_page::extract(html.as_bytes(), Some("text/html; charset=utf-8"), &url, limits);
        let mut findings = Vec::new();
        check(&facts, &mut findings)
            .then(|| findings.into_iter().map(|finding| (finding.kind, finding.what)).collect())
    }

    const WHOLE: [(&str, &str); 10] = [
        ("事项名称", "食品经营许可"),
        ("设定依据", "<a href=/law.html>《食品安全法》</a>"),
        ("申请条件", "有固定场所"),
        ("申请材料", "申请书原件1份；身份证复印件一份"),
        ("办理地点", "新城区民安路3号二楼"),
        ("实施机构", "市场监督管理局"),
        ("收费标准", "不收费"),
        ("办理时间", "工作日9:00—17:00"),
        ("咨询电话", "0474-8000000"),
        ("办理流程", "申请、受理、审查、决定"),
    ];

    fn with(at: usize, value: &'static str) -> Option<Vec<(Kind, String)>> {
        let mut rows = WHOLE;
        rows[at].1 = value;
        faults(&rows)
    }

    #[test]
    fn elements_are_whole_or_named() {
        assert_eq!(faults(&WHOLE), Some(Vec::new()));
        let missing = Some(vec![(Kind::GuideElementMissing, "收费标准".to_owned())]);
        assert_eq!(with(6, ""), missing, "an empty element is a missing one");
        let without: Vec<(&str, &str)> = WHOLE.into_iter().filter(|(name, _)| *name != "收费标准").collect();
        assert_eq!(faults(&without), missing);
        assert_eq!(faults(&WHOLE[..2]), None, "no guide");
        // A notice names a place, a time and a telephone, too.
        let notice =
            [("办理地点", "政务中心"), ("办理时间", "即日起"), ("联系电话", "1"), ("办理机构", "局")];
        assert_eq!(faults(&notice), None);
    }

    #[test]
    fn addresses_need_a_street_and_a_number() {
        let vague = Some(vec![(Kind::GuideAddressVague, String::new())]);
        for right in [
            "民安路3号",
            "民安大街１２号院",
            "建设路与民安街交汇处向东十二号",
            "新华巷3-1号",
            "解放道 88 号政务大厅",
        ] {
            assert_eq!(with(4, right), Some(Vec::new()), "{right}");
        }
        for wrong in ["政务服务中心", "市政务大厅二楼12号窗口", "民安路"] {
            assert_eq!(with(4, wrong), vague, "{wrong}");
        }
    }

    #[test]
    fn materials_need_form_and_copies_and_policies_their_text() {
        let vague = Some(vec![(Kind::GuideMaterialVague, String::new())]);
        for wrong in ["相关材料等", "身份证复印件", "申请书3份"] {
            assert_eq!(with(3, wrong), vague, "{wrong}");
        }
        assert_eq!(with(3, "见<a href=/files/list.docx>材料清单</a>"), Some(Vec::new()));
        let named = Some(vec![(Kind::PolicyNameOnly, String::new())]);
        assert_eq!(with(1, "《食品安全法》第三十五条"), named);
        assert_eq!(with(1, "法律规定"), Some(Vec::new()), "nothing is cited");
        let told = "《食品安全法》第三十五条：国家对食品生产经营实行许可制度。从事食品生产、食品销售、餐饮服务，应当依法取得许可。但是，销售食用农产品和仅销售预包装食品的，不需要取得许可。仅销售预包装食品的，应当报所在地县级以上地方人民政府食品安全监督管理部门备案。";
        assert_eq!(with(1, told), Some(Vec::new()), "its text stands there");
    }
}
