use super::*;

fn load(name: &str, text: &[u8]) -> Result<Dictionary, String> {
    load_bytes(Path::new(name), text).map_err(|error| error.to_string())
}

#[test]
fn every_format_gives_the_same_entries() {
    let toml = "category = \"typo\"\n[[entry]]\npattern = \"关健\"\ncorrection = \"关键\"\n";
    let csv = "pattern,correction\n关健,关键\n";
    let gbk = encoding_rs::GBK.encode("pattern\tcorrection\tcategory\n关健\t关键\ttypo\n").0;
    let marked = ["\u{FEFF}", csv].concat();
    let utf16: Vec<u8> = marked.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    for (row, cells) in [["pattern", "correction"], ["关健", "关键"]].iter().enumerate() {
        for (column, cell) in cells.iter().enumerate() {
            sheet.write_string(row as u32, column as u16, *cell).expect("written");
        }
    }
    let xlsx = book.save_to_buffer().expect("saved");
    let all = [
        load("a.toml", toml.as_bytes()),
        load("a.csv", csv.as_bytes()),
        load("a.csv", marked.as_bytes()),
        load("a.csv", &utf16),
        load("a.tsv", &gbk),
        load("a.xlsx", &xlsx),
    ];
    for dictionary in all {
        let dictionary = dictionary.expect("loads");
        assert_eq!(dictionary.entries[0].pattern, "关健");
        assert_eq!(dictionary.entries[0].correction.as_deref(), Some("关键"));
        assert_eq!(dictionary.entries[0].category, Category::Typo);
    }
    assert_eq!(load("a.txt", "# own\n甲乙\n".as_bytes()).expect("loads").entries.len(), 1);
}

#[test]
fn a_table_says_all_that_toml_says() {
    let csv = "pattern,category,allow,not_after,context,not_near,since\n甲乙,outdated-name,甲乙丙|丁甲乙,原|时任,某,他国|外国,2018-03-19\n";
    let entry = load("a.csv", csv.as_bytes()).expect("loads").entries.remove(0);
    assert_eq!(entry.allow, ["甲乙丙", "丁甲乙"]);
    assert_eq!(entry.not_after, ["原", "时任"]);
    assert_eq!(entry.context, ["某"]);
    assert_eq!(entry.not_near, ["他国", "外国"]);
    assert_eq!(entry.since, Some(jiff::civil::date(2018, 3, 19)));
}

#[test]
fn faults_name_line_and_reason() {
    let table: &[(&str, &str, &str)] = &[
        (
            "a.csv",
            "pattern,correction\n关健,关键\n关健,关键\n",
            "line 3: pattern \"关健\" stands already in line 2",
        ),
        ("a.csv", "a,b\n1,2\n", "line 1: the first line must name"),
        ("a.csv", "pattern,since\n甲乙,2018\n", "line 2: \"2018\" is not a day"),
        ("a.csv", "pattern,correction\n甲乙,甲丙\n甲丙,甲乙\n", "line 3: line 2 says the opposite"),
        (
            "a.toml",
            "category = \"typo\"\n[[entry]]\npattern = \"甲乙\"\nnot_near = [\"\u{200B}\"]\n",
            "line 2: an empty phrase in",
        ),
        ("a.txt", "甲乙\n丙\n", "line 2: pattern \"丙\" is one character"),
        ("a.txt", "甲乙\n**\n", "line 2: pattern \"**\" has no letter"),
        ("a.toml", "category = \"typo\"\n[[entry]]\npatern = \"x\"\n", "line 3: unknown field"),
        ("a.toml", "[[entry]]\npattern = \"甲乙\"\n", "line 1: no category"),
        ("a.toml", "category = \"typo\"\n[[entry]]\npattern = \" \"\n", "the pattern is empty"),
        (
            "a.toml",
            "from = \"2020-01-02\"\nuntil = \"2020-01-01\"\nallow = [\"甲乙\"]\n",
            "`until` is before",
        ),
        ("a.toml", "include = [\"b.toml\"]\n", "line 1: `include` needs a file"),
        ("a.txt", "", "has no patterns"),
        ("a.xlsx", "no zip", "not an XLSX file"),
    ];
    for (name, text, reason) in table {
        let message = load(name, text.as_bytes()).expect_err(text);
        assert!(message.contains(reason), "{message}");
    }
    let message = load("a.txt", b"abc\n\xFF\xFE\xFF\xFF").expect_err("wrong encoding");
    assert!(message.contains("line 2: neither UTF-8 nor GBK"), "{message}");
}

#[test]
fn too_much_is_refused_and_said() {
    let lines: String = (0..ENTRIES_MAX + 10).map(|at| format!("w{at}\n")).collect();
    let message = load("a.txt", lines.as_bytes()).expect_err("too many");
    assert!(message.contains("line 1000001: more than 1000000 patterns"), "{message}");
    let message = load("a.txt", "丙\n".repeat(1_000).as_bytes()).expect_err("all wrong");
    assert!(message.ends_with("line 21: further faults are not listed"), "{message}");
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("large.txt");
    let file = std::fs::File::create(&path).expect("made");
    file.set_len(FILE_BYTES_MAX + (1 << 20)).expect("grown");
    let message = load_file(&path).expect_err("too large").to_string();
    assert!(message.contains("the file has 65 MB, more than 64 MB"), "{message}");
}

#[test]
fn dictionaries_include_others_but_not_themselves() {
    let folder = tempfile::tempdir().expect("folder");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("written");
    write("a.toml", "include = [\"b.txt\"]\nallow = [\"甲乙丙\"]\n");
    write("b.txt", "甲乙\n丁戊\n");
    let dictionary = load_file(&folder.path().join("a.toml")).expect("loads");
    assert_eq!((dictionary.entries.len(), dictionary.allow.len()), (2, 1));
    write("c.toml", "\ninclude = [\"d.toml\"]\n");
    write("d.toml", "include = [\"c.toml\"]\n");
    let message = load_file(&folder.path().join("c.toml")).expect_err("a circle").to_string();
    assert!(message.contains("c.toml: line 2:") && message.contains("includes itself"), "{message}");
    write("e.toml", "include = [\"gone.txt\"]\n");
    let message = load_file(&folder.path().join("e.toml")).expect_err("not there").to_string();
    assert!(message.contains("line 1: cannot read"), "{message}");
}
