//! What stands in a notice is text, whatever it is made of.

use std::collections::BTreeMap;
use std::io::Read as _;

use jiff::civil::date;
use xunjian_judge::{AccountRow, Annexes, Catalogue, Counts, Notice, NoticeGroup, ProblemRow};
use xunjian_report::{Format, Language, NoticeData, NoticeSettings, write_notice};

const EVIL: [&str; 7] = [
    "=HYPERLINK(\"http://x\",\"y\")",
    "+1+1",
    "-1-1",
    "@SUM(A1)",
    "<script>alert(1)</script>",
    "**重**[甲](javascript:alert(1)) | `乙`",
    "a\u{1}b\u{b}c]]>\u{fffe}",
];

fn notice() -> Notice {
    let problem = |(number, evil): (usize, &&str)| ProblemRow {
        number,
        name: (*evil).to_owned(),
        indicator: "D16".to_owned(),
        problem: (*evil).to_owned(),
        places: 1,
        page: "javascript:alert(1)".to_owned(),
        finding: "f1".to_owned(),
    };
    let account = |(number, evil): (usize, &&str)| AccountRow {
        number,
        platform: "微信".to_owned(),
        name: (*evil).to_owned(),
        office: (*evil).to_owned(),
        problem: (*evil).to_owned(),
        closed: None,
        state: "不合格".to_owned(),
    };
    let group = |evil: &&str| NoticeGroup {
        id: "links".to_owned(),
        name: (*evil).to_owned(),
        name_en: (*evil).to_owned(),
        sites: vec![(*evil).to_owned()],
    };
    let rate = |id: &str| (Catalogue::shipped().rate(id, "1/2", 1, 2), Some("50".to_owned()));
    Notice {
        quarter: "2026Q2".to_owned(),
        point: date(2026, 6, 30),
        counts: Counts {
            sites: 3,
            sites_checked: 2,
            accounts: 7,
            accounts_unqualified: 7,
            ..Counts::default()
        },
        rates: ["sites", "accounts", "rectified"].map(rate).into(),
        platforms: BTreeMap::new(),
        stated: Vec::new(),
        groups: EVIL.iter().map(group).collect(),
        annexes: Annexes {
            problem_sites: EVIL.iter().enumerate().map(problem).collect(),
            unqualified_accounts: EVIL.iter().enumerate().map(account).collect(),
            ..Annexes::default()
        },
    }
}

#[test]
fn hostile_names_do_nothing_in_any_form() {
    let folder = tempfile::tempdir().expect("folder");
    let settings = NoticeSettings { office: Some(EVIL[4].to_owned()), ..NoticeSettings::default() };
    let notice = notice();
    let data = NoticeData {
        notice: &notice,
        compared: None,
        sites: &[],
        findings: Vec::new(),
        dated: date(2026, 7, 16),
        deadline: date(2026, 7, 30),
        notes: EVIL.map(str::to_owned).into(),
        settings: &settings,
    };
    write_notice(&data, folder.path(), &Format::ALL, Language::Zh, |_, _| None, |_| None).expect("written");
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).expect(name);

    let page = read("notice.html");
    for attack in ["<script", "href=\"javascript", "<strong>重"] {
        assert!(!page.contains(attack), "{attack}");
    }
    assert!(page.contains("&lt;script&gt;"));
    assert_eq!(page.matches("<p>无。</p>").count(), 3, "annexes without rows say so");
    let text = read("notice.md");
    assert!(!text.replace("\\<", "").contains("<script") && !text.contains("**重**"), "{text}");
    assert!(text.contains("检查比例66.66%"), "shares are cut, as rates are");

    // A cell that begins like a formula is a text in tables.
    let table = read("annex-3.csv");
    let mut reader = csv::Reader::from_reader(table.trim_start_matches('\u{feff}').as_bytes());
    for (row, evil) in reader.records().zip(EVIL) {
        let cell = row.expect("a row")[1].to_owned();
        let inert = evil.starts_with(['=', '+', '-', '@']);
        assert_eq!(cell, if inert { format!("'{evil}") } else { evil.to_owned() });
    }
    let part = |file: &str, name: &str| {
        let opened = std::fs::File::open(folder.path().join(file)).expect(file);
        let mut archive = zip::ZipArchive::new(opened).expect("an archive");
        let mut text = String::new();
        archive.by_name(name).expect(name).read_to_string(&mut text).expect("text");
        text
    };
    let sheet = part("annexes.xlsx", "xl/worksheets/sheet3.xml");
    assert!(!sheet.contains("<f>") && !sheet.contains("<hyperlink"), "no cell is a formula or leads away");

    // Every part is well-formed XML without what XML forbids.
    for name in ["word/document.xml", "word/_rels/document.xml.rels", "word/styles.xml"] {
        let xml = part("notice.docx", name);
        assert!(!xml.contains(['\u{1}', '\u{b}', '\u{fffe}']), "{name}");
        let mut reader = quick_xml::Reader::from_str(&xml);
        while reader.read_event().unwrap_or_else(|error| panic!("{name}: {error}"))
            != quick_xml::events::Event::Eof
        {}
    }
    assert_eq!(part("notice.docx", "word/document.xml").matches("<w:t>无。</w:t>").count(), 3);
    assert!(!part("notice.docx", "word/_rels/document.xml.rels").contains("javascript:"));
}
