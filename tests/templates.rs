//! What templates of content systems do on every page of a site: menus that scripts write, pages that only lead on,
//! faults that stand on all pages, lists of old titles.

#[path = "support/server.rs"]
mod server;
mod support;

use serde_json::Value;
use server::{Asked, Reply, serve};
use support::World;

/// Articles, more than make a fault the template's.
const ARTICLES: usize = 25;
/// What both columns' pages say they are, and only one is.
const WRONG_NAME: &str = "工作简报";

fn labels(column: &str) -> String {
    format!(
        "<meta name=SiteName content=市水利局><meta name=SiteDomain content=www.old.gov.cn><meta name=SiteIDCode content=1234560001>\
         <meta name=ColumnName content={column}><meta name=ColumnType content=动态><meta name=ColumnDescription content=动态>\
         <meta name=ColumnKeywords content=动态>"
    )
}

fn page(title: &str, labels: &str, body: &str) -> Reply {
    Reply::Page(format!("<html><head><title>{title}</title>{labels}</head><body>{body}</body></html>"))
}

/// A menu as some templates write it: every entry by a script of its own.
fn menu() -> String {
    let entry = |(name, folder): (&str, &str)| {
        format!(
            "<script>var name = '{name}'; if (name != '') {{ if (id == '7') {{ document.write('<li class=\"on\"><a href=\"/{folder}/\">' + name + '</a></li>'); }} \
             else {{ document.write('<li><a href=\"/{folder}/\">' + name + '</a></li>'); }} }}</script>"
        )
    };
    let entries = [("通知公告", "tzgg"), ("工作动态", "gzdt"), ("政策文件", "zcwj")].map(entry).concat();
    format!("<div class=nav><ul>{entries}</ul></div>")
}

fn article(at: usize) -> String {
    // Made anew every night; the second is cut by some, and told by others.
    let labels = format!(
        "{}<meta name=ArticleTitle content=关于第{at}项工作的通知><meta name=PubDate content='2026-06-29 03:00:12'>\
         <meta name=others content='页面生成时间 2026-06-29 03:00:12'>",
        labels("通知公告")
    );
    let text = format!("{at}号水库的情况如下，请各单位按时完成。").repeat(8);
    let body = format!(
        "{}<div class=page><div class=page_content><h1>关于第{at}项工作的通知</h1><p>发布时间：2026-05-{:02}</p>\
         <div class=content-footer><p>{text}</p></div></div></div><div class=footer>版权所有 某ICP备1号</div>",
        menu(),
        at + 1
    );
    format!("<html><head><title>通知</title>{labels}</head><body>{body}</body></html>")
}

fn answer(asked: &Asked) -> Reply {
    let rows: String = (0..ARTICLES)
        .map(|at| {
            format!(
                "<ul class=list><li><a href=/tzgg/t{at}.html>关于第{at}项工作的通知</a></li><li>原定于2026年9月1日开始的工作，现就有关事项通知如下。</li>\
                 <li>发布时间：2026-05-{:02} 10:00:00</li></ul>",
                at + 1
            )
        })
        .collect();
    match asked.path.as_str() {
        "/" | "/index.html" => page(
            "市水利局",
            "",
            &format!("{}<h1>市水利局</h1><p>各部门要按步就班地完成工作。</p><p>2026-06-20</p>", menu()),
        ),
        "/tzgg/" => {
            page("通知公告", &labels(WRONG_NAME), &format!("{}<div class=ewb-page-main>{rows}</div>", menu()))
        }
        "/gzdt/" => page(
            "工作动态",
            &labels(WRONG_NAME),
            "<p id=url style=display:none>/gzdt/list.html</p><script>var url = document.getElementById('url').innerHTML; if (url) { window.open(url, '_self'); }</script>",
        ),
        "/gzdt/list.html" => page(
            "工作动态",
            &labels(WRONG_NAME),
            &format!(
                "{}<ul><li><a href=/gzdt/a.html>国家旅游局来我市调研水利风景区建设</a> 2016-03-02</li><li><a href=/gzdt/b.html>市水利局召开会议</a> 2026-06-28</li>\
                <li><a href=/gzdt/c.html>市水利局部署防汛工作</a> 2026-06-27</li></ul>",
                menu()
            ),
        ),
        "/zcwj/" => page(
            "政策文件",
            &labels("政策文件"),
            &format!(
                "{}<ul><li><a href=/zcwj/old.html>农业部联手国家旅游局推进休闲农业发展</a></li><li><a href=/zcwj/new.html>国家旅游局来我市指导</a></li></ul>",
                menu()
            ),
        ),
        "/zcwj/old.html" => Reply::page(
            "农业部联手国家旅游局推进休闲农业发展",
            "<h1>农业部联手国家旅游局推进休闲农业发展</h1><p>发布时间：2015-04-07</p><p>推进休闲农业发展的工作会议召开，就有关事项作出部署。</p>",
        ),
        // A short one, of one sentence with a date.
        "/zcwj/new.html" => Reply::page(
            "关于任职的通知",
            "<h1>关于任职的通知</h1><p>发布时间：2026-06-07</p><p>经2026年6月5日会议研究决定，任命张三为科长。</p>",
        ),
        path if path.starts_with("/tzgg/t") => {
            let at = path.trim_start_matches("/tzgg/t").trim_end_matches(".html").parse().unwrap_or(0);
            Reply::Page(article(at))
        }
        path if path.starts_with("/gzdt/") => {
            let day = if path == "/gzdt/a.html" { "2016-03-02" } else { "2026-06-28" };
            let body =
                format!("<h1>市水利局召开会议</h1><p>发布时间：{day}</p><p>会议就有关工作作出部署。</p>");
            page("市水利局召开会议", "", &body)
        }
        _ => Reply::missing(),
    }
}

#[test]
fn templates_are_read_as_readers_see_them_and_their_faults_told_once() {
    let server = serve(answer);
    let config = format!("monitoring_point = \"2026-06-30\"\n{}", server.config(&["water"], &[]));
    let world = World::with_config(&config);
    let run = world.run(&["run", "--json"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let findings = world.findings();
    // Path, word or label, and on how many pages.
    let of = |kind: &str| {
        let of_kind = findings.iter().filter(|one| one["kind"] == kind);
        let told = |one: &Value| {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let path = text(&one["url"]).replace("http://water.test", "");
            (path, text(&one["detail"]["what"]), text(&one["detail"]["pages"]))
        };
        let mut all: Vec<_> = of_kind.map(told).collect();
        all.sort_unstable();
        all
    };
    let one = |path: &str, what: &str, pages: &str| (path.to_owned(), what.to_owned(), pages.to_owned());
    // The menu leads to everything, and what it leads to is no dead end.
    let pages = world.run(&["sites", "columns", "--json"]).json();
    let columns: Vec<(&str, &str, &str)> = pages["sites"][0]["columns"]
        .as_array()
        .expect("columns")
        .iter()
        .map(|one| {
            let text = |name: &str| one[name].as_str().unwrap_or_default();
            (text("name"), text("newest"), text("state"))
        })
        .collect();
    // The last one shows no days itself.
    let wanted = [
        ("通知公告", "2026-05-25", "fresh"),
        ("工作动态", "2026-06-28", "fresh"),
        ("政策文件", "2026-06-07", "fresh"),
    ];
    assert_eq!(columns, wanted);
    for kind in ["blank-column", "empty-article", "stale-column", "dead-link", "undated-page"] {
        assert_eq!(of(kind), [], "{kind}");
    }
    // One fault each: of all articles' dates, of all pages' domain, of two columns that have one name.
    let pages = ARTICLES.to_string();
    assert_eq!(of("date-conflict"), [one("/tzgg/t0.html", "", &pages)]);
    let bad = of("bad-label");
    let of_label = |label: &str| bad.iter().filter(|one| one.1 == label).collect::<Vec<_>>();
    assert_eq!(of_label("PubDate"), [&one("/tzgg/t0.html", "PubDate", &pages)]);
    assert_eq!(of_label("SiteDomain").len(), 1, "{bad:?}");
    assert_eq!(
        of_label("ColumnName").iter().map(|one| one.0.as_str()).collect::<Vec<_>>(),
        ["/gzdt/list.html", "/tzgg/"]
    );
    assert_eq!(of("missing-label").iter().filter(|one| one.1 == "ContentSource").count(), 1);
    // The home page by another name is the home page.
    assert_eq!(of("typo"), [one("/", "按步就班", "")]);
    // Old titles are not wrong; the last one is of this year.
    assert_eq!(of("outdated-name"), [one("/zcwj/", "国家旅游局", "")]);
}

/// What stands beside the lists of a site whose boxes have no names: a picture, the other lists, the newest of one.
fn beside() -> String {
    let others =
        ["tzgg", "gzdt", "zcwj", "rsxx", "zxly"].map(|one| format!("<li><a href=/{one}/>{one}</a></li>"));
    format!(
        "<div><img src=/banner.jpg></div><div><ul>{}</ul></div><div><ul>{}</ul></div>",
        others.concat(),
        "<li><a href=/gzdt/1.html>某局召开会议部署年度工作</a> 2026-06-21</li>"
    )
}

#[test]
fn boxes_beside_lists_and_tools_below_articles_are_every_page_s() {
    let text = "为进一步做好有关工作，现就有关事项通知如下，请各单位按照要求认真贯彻执行。".repeat(4);
    let server = serve(move |asked| {
        let menu = ["通知公告:tzgg", "工作动态:gzdt", "政策文件:zcwj", "人事信息:rsxx", "在线留言:zxly"]
            .map(|one| one.split_once(':').expect("a name"))
            .map(|(name, folder)| format!("<li><a href=/{folder}/>{name}</a></li>"))
            .concat();
        let menu = format!("<div class=nav><ul>{menu}</ul></div>");
        let list = |rows: &str| page("栏目", "", &format!("{menu}{}<h2>栏目</h2>{rows}", beside()));
        let row = |folder: &str, at: usize, day: &str| {
            format!("<li><a href=/{folder}/{at}.html>关于第{at}项工作安排的通知</a> {day}</li>")
        };
        let article = |at: usize, text: &str| {
            let tools = "<p>【打印本页】 【关闭窗口】</p><div><img src=/code.png><span>扫一扫在手机打开当前页</span></div><p>责任编辑：王小明</p>";
            let near = format!(
                "<p>上一篇：<a href={}.html>关于第{}项工作安排的通知</a></p><p>下一篇：没有了</p>",
                at + 1,
                at + 1
            );
            page(
                &format!("关于第{at}项工作安排的通知-市水利局"),
                "",
                &format!(
                    "{menu}<h1>关于第{at}项工作安排的通知</h1><p>发布时间：2026-06-2{at}</p><div>{text}</div>{tools}{near}"
                ),
            )
        };
        match asked.path.as_str() {
            "/" => page("市水利局", "", &format!("{menu}<p>2026-06-28</p>")),
            "/tzgg/" => {
                list(&(1..7).map(|at| row("tzgg", at, &format!("2026-06-2{at}"))).collect::<String>())
            }
            // Its only row stands in every page's box, too.
            "/gzdt/" => {
                list("<ul><li><a href=/gzdt/1.html>某局召开会议部署年度工作</a> 2026-06-21</li></ul>")
            }
            "/zcwj/" => list(&row("zcwj", 1, "2026-06-21")),
            "/rsxx/" => list("<ul></ul><p>共0条 0/0</p>"),
            "/zxly/" => list(
                "<form action=/write><input name=name><input name=title><textarea name=text></textarea></form>",
            ),
            "/tzgg/3.html" => article(3, "<p>&nbsp;</p>"),
            "/gzdt/1.html" | "/zcwj/1.html" => article(1, &format!("<p>{text}</p>")),
            path => {
                match path.strip_prefix("/tzgg/").and_then(|rest| rest.strip_suffix(".html")?.parse().ok()) {
                    Some(at @ 1..7) => article(at, &format!("<p>{text}</p>")),
                    _ if path.ends_with("g") => {
                        Reply::File("content-type: image/png\r\n", b"\x89PNG\r\n\x1a\n".to_vec())
                    }
                    _ => Reply::missing(),
                }
            }
        }
    });
    let world =
        World::with_config(&format!("monitoring_point = \"2026-06-30\"\n{}", server.config(&["a"], &[])));
    let run = world.run(&["run", "--quiet"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let findings = world.findings();
    let pages = |kind: &str| -> Vec<&str> {
        let of_kind = findings.iter().filter(|one| one["kind"] == kind);
        of_kind.map(|one| one["url"].as_str().expect("a page").trim_start_matches("http://a.test")).collect()
    };
    assert_eq!(pages("blank-column"), ["/rsxx/"]);
    assert_eq!(pages("empty-article"), ["/tzgg/3.html"]);
    assert_eq!(pages("date-conflict"), [""; 0]);
    assert_eq!(pages("stale-column"), [""; 0]);
}
