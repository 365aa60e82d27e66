//! Columns as sites have them: lists of pictures, maps of a site, questions by number, and those that are blank.

#[path = "support/server.rs"]
mod server;
mod support;

use server::{Asked, Reply, serve};
use support::World;

const MENU: [(&str, &str); 8] = [
    ("图片动态", "tpdt"),
    ("工作动态", "gzdt"),
    ("网站地图", "map"),
    ("办件查询", "cx"),
    ("政策文件", "zcwj"),
    ("视频", "sp"),
    ("人事信息", "rsxx"),
    ("财政信息", "czxx"),
];

fn page(title: &str, body: &str) -> Reply {
    let menu = MENU.map(|(name, folder)| format!("<li><a href=/{folder}/>{name}</a></li>")).concat();
    Reply::page(
        title,
        &format!("<div class=nav><ul>{menu}</ul></div><div class=main><h2>{title}</h2>{body}</div>"),
    )
}

/// What blank columns show all the same.
const PAGER: &str = "<p>暂无相关信息！</p><div class=b1>共0条 转到第<input id=gopage size=2>页</div>";

fn answer(asked: &Asked) -> Reply {
    let article = |at: &str, day: &str| {
        let text = "会议就有关工作作出部署，要求各单位按时完成。".repeat(6);
        page(&format!("某局召开第{at}次会议"), &format!("<p>发布时间：{day}</p><p>{text}</p>"))
    };
    match asked.path.trim_matches('/').split('/').collect::<Vec<_>>()[..] {
        [""] => page("市水利局", "<ul><li><a href=/gzdt/9.html>某局召开第9次会议</a> 2026-06-28</li></ul>"),
        ["tpdt"] => {
            let rows = [1, 2, 3, 4].map(|at| {
                format!("<li><a href=/p/{at}.html><img src=/{at}.jpg alt=某局召开第{at}次会议></a></li>")
            });
            page("图片动态", &format!("<ul>{}</ul>", rows.concat()))
        }
        ["p", at] => article(at.trim_end_matches(".html"), "2020-03-04"),
        ["gzdt"] => {
            let rows = [9, 8, 7].map(|at| {
                format!("<tr><td>{at}</td><td><a href=/gzdt/{at}.html>某局召开第{at}次会议</a></td><td>2027-01-01</td><td>2026-06-28</td></tr>")
            });
            let head = "<tr><th>序号</th><th>标题</th><th>有效期</th><th>发布日期</th></tr>";
            page("工作动态", &format!("<table>{head}{}</table>", rows.concat()))
        }
        ["gzdt", at] => article(at.trim_end_matches(".html"), "2026-06-28"),
        ["map"] => {
            let all = MENU.map(|(name, folder)| format!("<dd><a href=/{folder}/>{name}</a></dd>"));
            page("网站地图", &format!("<dl>{}</dl>", all.concat()))
        }
        ["cx"] => page("办件查询", "办件编号：<input id=bjbh><button onclick=cx()>查询</button>"),
        ["sp"] => page("视频", "<div id=a1></div><script>play('a1', {f: '/v/1.mp4'})</script>"),
        ["v", _] => Reply::File("content-type: video/mp4\r\n", b"\0\0\0\x18ftypmp42".to_vec()),
        ["zcwj" | "rsxx"] => page("栏目", PAGER),
        ["czxx"] => page("财政信息", "<form><input name=p value=1><input type=button value=GO></form>"),
        [file] if file.ends_with(".jpg") => Reply::File("content-type: image/gif\r\n", b"GIF89a".to_vec()),
        _ => Reply::missing(),
    }
}

#[test]
fn what_is_blank_and_what_is_old_is_told() {
    let server = serve(answer);
    let config = format!("monitoring_point = \"2026-06-30\"\n{}", server.config(&["water"], &[]));
    let world = World::with_config(&config);
    let run = world.run(&["run", "--json"]);
    assert!(matches!(run.code, 0 | 3), "{}", run.stderr);
    let findings = world.findings();
    let of = |kind: &str| {
        let mut told: Vec<&str> = findings
            .iter()
            .filter(|one| one["kind"] == kind)
            .filter_map(|one| one["detail"]["what"].as_str())
            .collect();
        told.sort_unstable();
        told
    };
    assert_eq!(of("blank-column"), ["人事信息", "政策文件", "财政信息"]);
    assert_eq!(of("stale-column"), ["图片动态"]);
    for kind in ["date-conflict", "future-date", "empty-article", "dead-link", "dead-attachment"] {
        assert_eq!(of(kind), [""; 0], "{kind}");
    }
}
