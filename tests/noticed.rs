//! The notice of a quarter in all its forms, as an office gets it.

mod support;

use std::io::Read as _;
use std::path::Path;

use calamine::{Data, Reader as _};
use support::World;
use xunjian_city::City;

/// A part of a DOCX or XLSX.
fn part(file: &Path, name: &str) -> String {
    let file = std::fs::File::open(file).expect("the file");
    let mut archive = zip::ZipArchive::new(file).expect("an archive");
    let mut text = String::new();
    archive.by_name(name).expect(name).read_to_string(&mut text).expect("text");
    text
}

#[test]
fn the_notice_is_written_in_every_form() {
    let world = World::serving(City::of_notice(1));
    let at = "@2026-06-30 12:00:00";
    let run: support::Ended = world.command_at(at, &["run", "--json"]).output().expect("runs").into();
    assert_eq!(run.code, 0, "{}\n{}", run.stderr, run.stdout);
    let kind = ["--kind", "interpretation-missing", "--by", "王芳", "--reason", "社会关注度高"];
    assert_eq!(world.run(&[&["findings", "confirm"][..], &kind].concat()).code, 0);
    let mut command = vec!["report", "--quarter", "2026Q2", "--dated", "2026-07-16", "--json"];
    command.extend(["--stated", "sites=97.77", "--stated", "accounts=90", "--stated", "rectified=91"]);
    let out = world.path("notice");
    command.extend(["--out", out.to_str().expect("a path")]);
    let written = world.run(&command);
    assert_eq!(written.code, 0, "{}", written.stderr);
    let names: Vec<String> = written.json()["files"]
        .as_array()
        .expect("files")
        .iter()
        .map(|file| file.as_str().and_then(|file| file.rsplit('/').next()).expect("a name").to_owned())
        .collect();
    let csv = (1..=5).map(|number| format!("annex-{number}.csv"));
    let mut expected: Vec<String> = ["notice.docx", "annexes.xlsx", "notice.html", "notice.json"]
        .map(str::to_owned)
        .into_iter()
        .chain(csv)
        .collect();
    expected.push("notice.md".to_owned());
    assert_eq!(names, expected);

    // The same numbers stand in each text.
    let read = |name: &str| std::fs::read_to_string(out.join(name)).expect(name);
    let document = part(&out.join("notice.docx"), "word/document.xml");
    let told = [
        "关于2026年第二季度政府网站和政务新媒体检查情况的通报",
        "在册政府网站45家（门户网站12家、部门网站33家），本季度检查45家，检查比例100%。其中不合格1家（青禾县人民政府），合格率97.77%（44/45）",
        "在册政务新媒体454个",
        "其中不合格45个，合格率90%（409/454）",
        "已整改39个，已关停或注销3个，未整改3个",
        "整改率86.67%（39/45）",
        "39家网站存在此类问题",
        // Ten working days after 16 July.
        "于2026年7月30日前完成整改",
        "填报的 91%（rectified）与数量不符",
    ];
    let document = document.replace("&#x2f;", "/");
    for (name, text) in [("docx", &document), ("html", &read("notice.html")), ("md", &read("notice.md"))] {
        for told in told {
            assert!(text.contains(told), "{name} lacks {told}");
        }
    }
    // The layout of official documents, and tables that repeat their header.
    assert!(document.contains(r#"<w:pgSz w:w="11906" w:h="16838"/>"#), "A4");
    assert_eq!(document.matches("<w:tblHeader/>").count(), 5);
    let styles = part(&out.join("notice.docx"), "word/styles.xml");
    for font in ["仿宋_GB2312", "楷体_GB2312", "黑体", "方正小标宋简体"] {
        assert!(styles.contains(font), "{font}");
    }
    assert!(part(&out.join("notice.docx"), "word/settings.xml").contains("evenAndOddHeaders"));

    // One sheet an annex, with all rows.
    let rows = [45, 1, 13 + 5 + 4 + 5 + 39 + 1, 1, 45];
    let mut book = calamine::open_workbook_auto(out.join("annexes.xlsx")).expect("a workbook");
    let sheets = book.sheet_names();
    assert_eq!(sheets.len(), 5);
    assert_eq!(sheets[0], "1 政府网站抽查情况");
    for (sheet, rows) in sheets.iter().zip(rows) {
        let range = book.worksheet_range(sheet).expect("a sheet");
        assert_eq!(range.height(), rows + 1, "{sheet}");
        let number = range.get_value((1, 0)).expect("a cell");
        assert_eq!(number, &Data::Float(1.0), "rows are numbered");
    }
    let sheet = part(&out.join("annexes.xlsx"), "xl/worksheets/sheet1.xml");
    assert!(sheet.contains("<autoFilter") && sheet.contains(r#"state="frozen""#));
    for (number, rows) in (1..).zip(rows) {
        let table = read(&format!("annex-{number}.csv"));
        assert_eq!(table.lines().count(), rows + 1, "annex {number}");
    }

    // Every problem leads to the archived page that proves it.
    let facts: serde_json::Value = serde_json::from_str(&read("notice.json")).expect("JSON");
    assert_eq!(facts["deadline"], "2026-07-30");
    let page = read("notice.html");
    let proofs: Vec<&str> =
        page.split("href=\"evidence").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(proofs.len() >= 60, "{}", proofs.len());
    for proof in proofs {
        let file = format!("evidence{}", proof.replace("&#x2f;", "/"));
        assert!(out.join(&file).exists(), "{file}");
    }

    // Of a quarter nobody looked at, the register is told all the same, and that nothing was checked.
    let before = ["report", "--quarter", "2020Q1", "--format", "md", "--dated", "2026-07-16", "--out"];
    let unseen = world.run(&[&before[..], &[out.to_str().expect("a path")]].concat());
    assert_eq!(unseen.code, 3, "{}", unseen.stderr);
    let text = read("notice.md");
    let told = "在册政府网站45家（门户网站12家、部门网站33家），本季度检查0家，检查比例0%";
    assert!(text.contains(told) && text.contains("没有监测时间点之前快照"), "{text}");

    let english = world.run(&[&command[..], &["--lang", "en", "--format", "md"]].concat());
    assert_eq!(english.code, 0, "{}", english.stderr);
    assert!(read("notice.md").contains("45 websites are registered (12 portals, 33 departments)"));
}

#[test]
fn an_office_writes_its_own_text() {
    let world = World::serving(City::of_notice(1));
    world.write("notice.md", "# {{ office }}第{{ quarter }}季度\n\n{{ addressees }}：\n\n{{ counts.sites }}家，请联系{{ contact }}。\n".as_bytes());
    let texts = "[notice]\noffice = \"市府办*公室\"\naddressees = \"各旗县\"\ncontact = \"0474-1\"\ntemplate = \"notice.md\"\n";
    let config = std::fs::read_to_string(world.path("xunjian.toml")).expect("configuration");
    world.write("xunjian.toml", format!("{config}\n{texts}").as_bytes());
    let at = "@2026-06-30 12:00:00";
    let run: support::Ended = world.command_at(at, &["run", "--json"]).output().expect("runs").into();
    assert_eq!(run.code, 0, "{}", run.stderr);
    let out = world.path("notice");
    let mut command = vec!["report", "--quarter", "2026Q2", "--format", "html,md", "--dated", "2026-07-16"];
    command.extend(["--out", out.to_str().expect("a path")]);
    assert_eq!(world.run(&command).code, 0);
    let page = std::fs::read_to_string(out.join("notice.html")).expect("a page");
    assert!(page.contains("<h1>市府办*公室第二季度</h1>"), "what a value holds is no Markdown");
    assert!(page.contains("45家，请联系0474-1。"));

    // A mistake in it is told before anything is judged.
    world.write("notice.md", "# 通报\n\n{{ office }}\n{{ signer }}".as_bytes());
    let refused = world.english(&command);
    assert_eq!(refused.code, 2);
    assert!(
        refused.stderr.contains("notice.md") && refused.stderr.contains("unknown variable: signer"),
        "{}",
        refused.stderr
    );
    world.write("notice.md", "# 通报\n\n{% if counts %}".as_bytes());
    let refused = world.run(&command);
    assert!(refused.code == 2 && refused.stderr.contains("notice.md:3"), "{}", refused.stderr);
    let unknown = world.english(&["report", "--quarter", "2026Q2", "--format", "pdf"]);
    assert!(
        unknown.code == 2 && unknown.stderr.contains("docx, xlsx, html, json, csv or md"),
        "{}",
        unknown.stderr
    );
}
