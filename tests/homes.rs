//! What a home page shows under other names and to other browsers.

#[path = "support/server.rs"]
mod server;
mod support;

use server::{Reply, serve};
use support::World;

fn config(port: u16) -> String {
    format!(
        "data = \"xunjian-data\"\n[politeness]\nrequests_per_second = 0\naddress_requests_per_second = 0\n\
         [crawl]\nretry_pause_s = 0.1\nsecond_look_share = 0\n[render]\nbrowser = \"off\"\n[search]\nenabled = false\n\
         [network]\nallow_private = [\"127.0.0.0/8\"]\n[network.resolve]\n\"www.test.gov.cn\" = \"127.0.0.1:{port}\"\n\
         \"test.gov.cn\" = \"127.0.0.1:{port}\"\n\"old.test.gov.cn\" = \"127.0.0.1:{port}\"\n\
         \"hd.test.gov.cn\" = \"127.0.0.1:{port}\"\n\
         [[site]]\nid = \"www\"\nname = \"试验市人民政府\"\nurl = \"http://www.test.gov.cn/\"\nkind = \"portal\"\n\
         hosts = [\"old.test.gov.cn\", \"hd.test.gov.cn\"]\n"
    )
}

#[test]
fn several_names_are_found_and_browsers_compared() {
    let server = serve(|asked| {
        let agent = asked.head.iter().find(|line| line.to_ascii_lowercase().starts_with("user-agent:"));
        let agent = agent.map_or("", String::as_str);
        match (asked.host.split(':').next().unwrap_or_default(), asked.path.as_str()) {
            (_, path) if path != "/" => Reply::missing(),
            // The bare name leads on, as it should.
            ("test.gov.cn", _) => Reply::redirect("http://www.test.gov.cn/"),
            ("hd.test.gov.cn", _) => Reply::page("互动平台", "留言"),
            _ if agent.contains("Firefox") => {
                Reply::Other("403 Forbidden", "content-type: text/plain\r\n".to_owned(), "IE only".to_owned())
            }
            _ if agent.contains("iPhone") => Reply::page("手机版", "建设中"),
            _ => Reply::page("试验市人民政府", "<p>今日要闻与服务信息。</p><p>建议使用IE8以上浏览器浏览</p>"),
        }
    });
    let world = World::with_config(&config(server.port));
    let run = world.run(&["run", "--json"]);
    assert!(matches!(run.code, 0 | 3), "{}", run.stderr);
    let findings = world.findings();
    let names: Vec<&str> = findings
        .iter()
        .filter(|one| one["kind"] == "several-names")
        .map(|one| one["detail"]["what"].as_str().expect("a name"))
        .collect();
    assert_eq!(names, ["old.test.gov.cn"], "the same page under another name; not a page of its own");
    let told = world.run(&["judge", "--explain", "www", "D21", "--lang", "en"]).stdout;
    for sign in [
        "Firefox: does not open", "Safari, iPhone: another title", "asks for a certain browser",
        "a person judges",
    ] {
        assert!(told.contains(sign), "{sign}: {told}");
    }
    assert!(!told.contains("Android"), "shown what everybody is: {told}");
    let told = world.run(&["judge", "--explain", "www", "D14", "--lang", "en"]).stdout;
    assert!(told.contains("1 faults"), "{told}");
}
