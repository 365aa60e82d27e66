//! The facts of the public test cases of Google's robots.txt parser, as our own table: file,
//! agent, addresses it may and may not ask for. One fact is left out: that a file's `/ツ` does not
//! match an address with an unescaped `ツ` cannot arise here, where addresses are always escaped.

use xunjian_crawl::Robots;

/// File, agent, what may be asked, what may not.
type Case = (String, &'static str, &'static [&'static str], &'static [&'static str]);

const GROUPS: &str = "allow: /foo/bar/\n\nuser-agent: FooBot\ndisallow: /\nallow: /x/\nuser-agent: BarBot\n\
    disallow: /\nallow: /y/\n\n\nallow: /w/\nuser-agent: BazBot\n\nuser-agent: FooBot\nallow: /z/\ndisallow: /\n";

fn foo(rules: &str) -> String {
    format!("user-agent: FooBot\n{rules}")
}

fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = vec![
        // Who is meant.
        (String::new(), "FooBot", &["/x/y"], &[]),
        ("user-agent: FooBot\ndisallow: /\n".into(), "FooBot", &[], &["/x/y"]),
        ("foo: FooBot\nbar: /\n".into(), "FooBot", &["/x/y"], &[]),
        ("user-agent FooBot\ndisallow /\n".into(), "FooBot", &[], &["/x/y"]),
        (GROUPS.into(), "FooBot", &["/x/b", "/z/d"], &["/y/c", "/foo/bar/"]),
        (GROUPS.into(), "BarBot", &["/y/c", "/w/a"], &["/z/d", "/foo/bar/"]),
        (GROUPS.into(), "BazBot", &["/z/d"], &["/foo/bar/"]),
        ("user-agent: *\ndisallow: /\nuser-agent: Foo Bar\nallow: /x/\ndisallow: /\n".into(), "Foo", &["/x/y"], &[]),
        (
            "user-agent: *\ndisallow: /\nuser-agent: Foo Bar\nallow: /x/\ndisallow: /\n".into(),
            "Foo Bar",
            &[],
            &["/x/y"],
        ),
        ("user-agent: *\nallow: /\nuser-agent: FooBot\ndisallow: /\n".into(), "FooBot", &[], &["/x/y"]),
        ("user-agent: *\nallow: /\nuser-agent: FooBot\ndisallow: /\n".into(), "BarBot", &["/x/y"], &[]),
        (
            "user-agent: FooBot\nallow: /\nuser-agent: BarBot\ndisallow: /\nuser-agent: BazBot\ndisallow: /\n".into(),
            "QuxBot",
            &["/x/y"],
            &[],
        ),
        ("user-agent: * baz\ndisallow: /".into(), "FooBot", &[], &["/x"]),
        ("user-agent: *x\ndisallow: /".into(), "FooBot", &["/x"], &[]),
        // Case of values.
        (foo("disallow: /x/\n"), "FooBot", &[], &["/x/y"]),
        (foo("disallow: /X/\n"), "FooBot", &["/x/y"], &[]),
        // The longest match.
        (foo("disallow: /x/page.html\nallow: /x/\n"), "FooBot", &[], &["/x/page.html"]),
        (foo("allow: /x/page.html\ndisallow: /x/\n"), "FooBot", &["/x/page.html"], &["/x/"]),
        (foo("disallow: \nallow: \n"), "FooBot", &["/x/page.html"], &[]),
        (foo("disallow: /\nallow: /\n"), "FooBot", &["/x/page.html"], &[]),
        (foo("disallow: /x\nallow: /x/\n"), "FooBot", &["/x/"], &["/x"]),
        (foo("disallow: /x/page.html\nallow: /x/page.html\n"), "FooBot", &["/x/page.html"], &[]),
        (foo("allow: /page\ndisallow: /*.html\n"), "FooBot", &["/page"], &["/page.html"]),
        (foo("allow: /x/page.\ndisallow: /*.html\n"), "FooBot", &["/x/page.html"], &["/x/y.html"]),
        (
            "User-agent: *\nDisallow: /x/\nUser-agent: FooBot\nDisallow: /y/\n".into(),
            "FooBot",
            &["/x/page"],
            &["/y/page"],
        ),
        // Escapes.
        (
            foo("Disallow: /\nAllow: /foo/bar?qux=taz&baz=http://foo.bar?tar&par\n"),
            "FooBot",
            &["/foo/bar?qux=taz&baz=http://foo.bar?tar&par"],
            &[],
        ),
        (foo("Disallow: /\nAllow: /foo/bar/ツ\n"), "FooBot", &["/foo/bar/%E3%83%84"], &[]),
        (foo("Disallow: /\nAllow: /foo/bar/%E3%83%84\n"), "FooBot", &["/foo/bar/%E3%83%84"], &[]),
        (foo("Disallow: /\nAllow: /foo/bar/%62%61%7A\n"), "FooBot", &["/foo/bar/%62%61%7A"], &["/foo/bar/baz"]),
        // Special characters.
        (
            foo("Disallow: /foo/bar/quz\nAllow: /foo/*/qux\n"),
            "FooBot",
            &["/foo/quz", "/foo//quz", "/foo/bax/quz"],
            &["/foo/bar/quz"],
        ),
        (
            foo("Disallow: /foo/bar$\nAllow: /foo/bar/qux\n"),
            "FooBot",
            &["/foo/bar/qux", "/foo/bar/", "/foo/bar/baz"],
            &["/foo/bar"],
        ),
        (foo("# Disallow: /\nDisallow: /foo/quz#qux\nAllow: /\n"), "FooBot", &["/foo/bar"], &["/foo/quz"]),
        // A folder's index page stands for the folder.
        (
            "User-Agent: *\nAllow: /allowed-slash/index.html\nDisallow: /\n".into(),
            "foobot",
            &["/allowed-slash/", "/allowed-slash/index.html"],
            &["/allowed-slash/index.htm", "/anyother-url"],
        ),
        // The documentation's examples.
        (
            foo("disallow: /\nallow: /fish/\n"),
            "FooBot",
            &["/fish/", "/fish/salmon", "/fish/?salmon", "/fish/salmon.html", "/fish/?id=anything"],
            &["/bar", "/fish", "/fish.html", "/Fish/Salmon.html"],
        ),
        (
            foo("disallow: /\nallow: /*.php\n"),
            "FooBot",
            &[
                "/filename.php",
                "/folder/filename.php",
                "/folder/filename.php?parameters",
                "//folder/any.php.file.html",
                "/filename.php/",
                "/index?f=filename.php/",
            ],
            &["/bar", "/php/", "/index?php", "/windows.PHP"],
        ),
        (
            foo("disallow: /\nallow: /*.php$\n"),
            "FooBot",
            &["/filename.php", "/folder/filename.php"],
            &[
                "/bar",
                "/filename.php?parameters",
                "/filename.php/",
                "/filename.php5",
                "/php/",
                "/filename?php",
                "/aaaphpaaa",
                "//windows.PHP",
            ],
        ),
        (
            foo("disallow: /\nallow: /fish*.php\n"),
            "FooBot",
            &["/fish.php", "/fishheads/catfish.php?parameters"],
            &["/bar", "/Fish.PHP"],
        ),
        (foo("allow: /p\ndisallow: /\n"), "FooBot", &["/page"], &[]),
        (foo("allow: /folder\ndisallow: /folder\n"), "FooBot", &["/folder/page"], &[]),
        (foo("allow: /page\ndisallow: /*.htm\n"), "FooBot", &[], &["/page.htm"]),
        (foo("allow: /$\ndisallow: /\n"), "FooBot", &["/"], &["/page.html"]),
        // Ends of lines, a byte order mark, slips of the pen.
        ("user-agent: FooBot\rdisallow: /a\r\ndisallow: /b".into(), "FooBot", &["/c"], &["/a", "/b"]),
        ("\u{FEFF}user-agent: FooBot\ndisallow: /\n".into(), "FooBot", &[], &["/x"]),
        ("\u{FFFD}user-agent: FooBot\ndisallow: /\n".into(), "FooBot", &[], &["/x"]),
        (foo("dissallow: /a\ndisalow: /b\ndissalow: /c\ndiasllow: /d\ndisallaw: /e\n"), "FooBot", &["/f"], &[
            "/a", "/b", "/c", "/d", "/e",
        ]),
    ];
    for pattern in ["/fish", "/fish*"] {
        cases.push((
            foo(&format!("disallow: /\nallow: {pattern}\n")),
            "FooBot",
            &[
                "/fish", "/fish.html", "/fish/salmon.html", "/fishheads", "/fishheads/yummy.html",
                "/fish.html?id=anything",
            ],
            &["/bar", "/Fish.asp", "/catfish", "/?id=fish"],
        ));
    }
    // Lines that belong to no group do not end one.
    for agent in ["FooBot", "BarBot"] {
        cases.push((
            "User-agent: BarBot\nSitemap: https://foo.bar/sitemap\nUser-agent: *\nDisallow: /\n".into(),
            agent,
            &[],
            &["/"],
        ));
        cases.push((
            "User-agent: FooBot\nInvalid-Unknown-Line: unknown\nUser-agent: *\nDisallow: /\n".into(),
            agent,
            &[],
            &["/"],
        ));
    }
    // Names in any case, and agents, too.
    for file in [
        "USER-AGENT: FooBot\nALLOW: /x/\nDISALLOW: /\n",
        "user-agent: FooBot\nallow: /x/\ndisallow: /\n",
        "uSeR-aGeNt: FooBot\nAlLoW: /x/\ndIsAlLoW: /\n",
    ] {
        cases.push((file.into(), "FooBot", &["/x/y"], &["/a/b"]));
    }
    for name in ["FOO BAR", "foo bar", "FoO bAr"] {
        for agent in ["Foo", "foo"] {
            let file = format!("User-Agent: {name}\nAllow: /x/\nDisallow: /\n");
            cases.push((file, agent, &["/x/y"], &["/a/b"]));
        }
    }
    cases
}

#[test]
fn every_case() {
    for (file, agent, allowed, forbidden) in cases() {
        let robots = Robots::parse(&file, agent);
        for path in allowed {
            assert!(robots.allows(path), "{agent} may ask for {path}:\n{file}");
        }
        for path in forbidden {
            assert!(!robots.allows(path), "{agent} may not ask for {path}:\n{file}");
        }
    }
}

#[test]
fn a_line_too_long_is_cut() {
    const LINE_MAX: usize = 2_083 * 8;
    let long = |key: &str, letter: &str| {
        let start = "/x/";
        let filler = LINE_MAX - start.len() - key.len() + 1 - start.len();
        format!("{start}{}", letter.repeat(filler))
    };
    let path = long("disallow: ", "a");
    let robots = Robots::parse(&format!("user-agent: FooBot\ndisallow: {path}/qux\n"), "FooBot");
    assert!(robots.allows("/fux"));
    assert!(!robots.allows(&format!("{path}/fux")));
    let (a, b) = (long("allow: ", "a"), long("allow: ", "b"));
    let file = format!("user-agent: FooBot\ndisallow: /\nallow: {a}/qux\nallow: {b}/qux\n");
    let robots = Robots::parse(&file, "FooBot");
    assert!(!robots.allows("/"));
    assert!(robots.allows(&format!("{a}/qux")));
    assert!(robots.allows(&format!("{b}/fux")));
}

#[test]
fn every_length_up_to_the_limit_and_line_ends_at_the_end() {
    for end in ["", "\n", "\r\n", "\r"] {
        assert!(!Robots::parse(&format!("user-agent: *{end}\ndisallow: /{end}"), "FooBot").allows("/x"));
    }
}
