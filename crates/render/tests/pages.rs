//! Pages in the real browser: lists filled by script, and pages that mean harm.
//!
//! Needs Chromium in the search path; tests/run.sh installs it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::net::TcpListener;
use xunjian_render::{
    Asking, Browser, Lead, Page, Post, RenderError, RenderLimits, Rendered, Request, Resource, SearchBox,
    Searched, Source,
};

const PAGE: &str = "https://www.example.gov.cn/tzgg/";

/// Answers by path; keeps what was asked.
#[derive(Default)]
struct Answers {
    by_path: HashMap<&'static str, &'static str>,
    asked: Mutex<Vec<String>>,
}

impl Source for Answers {
    fn ask(&self, Request { url, post, .. }: Request) -> Asking<'_> {
        Box::pin(async move {
            let sent = post.map_or_else(String::new, |post| {
                format!(" {} {}", post.media_type, String::from_utf8_lossy(&post.body))
            });
            self.asked.lock().expect("lock").push(format!("{url}{sent}"));
            let body = *self.by_path.get(url.strip_prefix("https://www.example.gov.cn")?)?;
            Some(Resource { status: 200, headers: Vec::new(), body: body.as_bytes().to_vec() })
        })
    }
}

fn browser_file() -> PathBuf {
    xunjian_render::find().expect("Chromium in the search path (Debian: apt-get install chromium)")
}

async fn browser(limits: RenderLimits) -> Browser {
    // Tests run as root in containers, where the sandbox cannot be set up.
    Browser::start(&browser_file(), false, limits).await.expect("browser")
}

async fn render(browser: &Browser, html: &str, answers: &Answers) -> Result<Rendered, RenderError> {
    let headers = vec![("content-type".to_owned(), "text/html; charset=utf-8".to_owned())];
    let answer = Resource { status: 200, headers, body: html.as_bytes().to_vec() };
    browser.render(Page { url: PAGE, answer }, answers).await
}

fn quick() -> RenderLimits {
    RenderLimits { timeout: Duration::from_secs(3), ..RenderLimits::default() }
}

#[tokio::test]
async fn lists_that_scripts_fill_are_seen_as_a_reader_sees_them() {
    let by_path = HashMap::from([
        (
            "/js/list.js",
            "fetch('/api/1.json').then(r=>r.json()).then(d=>{document.getElementById('list').innerHTML=d.map(i=>`<li><a href=\"${i.u}\">${i.t}</a></li>`).join('')})",
        ),
        ("/api/1.json", r#"[{"u":"/tzgg/1.html","t":"关于开展检查的通知"},{"u":"/tzgg/2.html","t":"公告"}]"#),
    ]);
    let answers = Answers { by_path, ..Answers::default() };
    let browser = browser(RenderLimits::default()).await;
    let shell =
        "<ul id=list></ul><img src=/a.png><link rel=stylesheet href=/a.css><script src=/js/list.js></script>";
    let rendered = render(&browser, shell, &answers).await.expect("rendered");
    assert!(rendered.settled, "{rendered:?}");
    assert!(rendered.html.contains("关于开展检查的通知"), "{}", rendered.html);
    let asked = answers.asked.lock().expect("lock").clone();
    // Neither the page again, nor pictures and looks.
    assert_eq!(asked, ["/js/list.js", "/api/1.json"].map(|path| format!("https://www.example.gov.cn{path}")));
}

#[tokio::test]
async fn what_was_not_answered_leaves_the_page_unsettled() {
    let browser = browser(quick()).await;
    let answers = Answers::default();
    let refused = render(&browser, "<script>fetch('/api/none.json')</script>", &answers).await;
    assert!(!refused.expect("rendered").settled);
    let posted =
        render(&browser, "<script>fetch('/api/list', {method: 'POST', body: 'x'})</script>", &answers).await;
    let posted = posted.expect("rendered");
    assert!(!posted.settled && posted.refused == ["https://www.example.gov.cn/api/list"], "{posted:?}");
    for asks in ["{method: 'PUT', body: 'x'}", "{method: 'POST', body: 'x'.repeat(100000)}"] {
        let refused =
            render(&browser, &format!("<script>fetch('/api/list', {asks})</script>"), &answers).await;
        assert!(!refused.expect("rendered").settled);
    }
    let asked = answers.asked.lock().expect("lock").clone();
    let text = "https://www.example.gov.cn/api/list text/plain;charset=UTF-8 x";
    assert_eq!(
        asked,
        ["https://www.example.gov.cn/api/none.json", text],
        "nothing large, nothing but GET and POST"
    );
    let nothing = render(&browser, "<p>没有脚本", &answers).await.expect("rendered");
    assert!(nothing.settled, "{nothing:?}");
}

/// A listener that must never be reached.
async fn forbidden() -> (u16, Arc<Mutex<u32>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("port");
    let port = listener.local_addr().expect("address").port();
    let reached = Arc::new(Mutex::new(0));
    let count = Arc::clone(&reached);
    tokio::spawn(async move {
        while listener.accept().await.is_ok() {
            *count.lock().expect("lock") += 1;
        }
    });
    (port, reached)
}

#[tokio::test]
async fn no_page_reaches_anything_by_itself() {
    let (port, reached) = forbidden().await;
    let browser = browser(quick()).await;
    let attack = format!(
        "<iframe src='http://127.0.0.1:{port}/frame'></iframe><link rel=preconnect href='http://127.0.0.1:{port}'>
         <link rel=dns-prefetch href='//127.0.0.1:{port}'><link rel=prerender href='http://127.0.0.1:{port}/p'>
         <script>
         new WebSocket('ws://127.0.0.1:{port}/ws'); new Image().src = 'http://127.0.0.1:{port}/i';
         navigator.sendBeacon('http://127.0.0.1:{port}/b', 'x');
         fetch('http://127.0.0.1:{port}/f', {{mode: 'no-cors'}}); fetch('http://localhost:{port}/f');
         new EventSource('http://127.0.0.1:{port}/e'); window.open('http://127.0.0.1:{port}/w');
         try {{ new Worker(URL.createObjectURL(new Blob(['fetch(\"http://127.0.0.1:{port}/k\")']))) }} catch (e) {{}}
         const c = new RTCPeerConnection({{iceServers: [{{urls: 'stun:127.0.0.1:{port}'}}]}});
         c.createDataChannel('x'); c.createOffer().then(o => c.setLocalDescription(o));
         alert('x'); location = 'file:///etc/passwd';
         </script>"
    );
    let rendered = render(&browser, &attack, &Answers::default()).await.expect("rendered");
    assert!(!rendered.settled && !rendered.html.contains("root:"), "{rendered:?}");
    let after = render(&browser, "<p id=a></p><script>a.innerHTML='ok'</script>", &Answers::default()).await;
    assert!(after.expect("rendered").html.contains(">ok<"));
    assert_eq!(*reached.lock().expect("lock"), 0);
}

#[tokio::test]
async fn pages_that_never_end_or_grow_without_end_are_bounded() {
    let limits = RenderLimits { document_bytes_max: 1 << 20, requests_max: 20, ..quick() };
    let answers = Answers { by_path: HashMap::from([("/a", "1")]), ..Answers::default() };
    let browser = browser(limits).await;
    let large = "<script>document.write('<p>' + 'x'.repeat(3 << 20))</script>";
    assert!(matches!(render(&browser, large, &answers).await, Err(RenderError::Limit(_))));
    let asking = "<script>setInterval(() => fetch('/a'), 5)</script>";
    assert!(!render(&browser, asking, &answers).await.expect("rendered").settled);
    assert!(answers.asked.lock().expect("lock").len() <= 20);
    let endless = render(&browser, "<p>a</p><script>for (;;) {}</script>", &answers).await;
    assert!(matches!(endless, Err(RenderError::Browser(_))), "{endless:?}");
}

#[tokio::test]
async fn a_browser_that_is_none_is_an_error() {
    let started = Browser::start(Path::new("/bin/false"), true, quick()).await;
    assert!(matches!(started, Err(RenderError::Start(_))), "{started:?}");
    let started = Browser::start(Path::new("/no/such/file"), true, quick()).await;
    assert!(matches!(started, Err(RenderError::Start(_))), "{started:?}");
}

/// How the sites of the field search: what stands in the page, and where words in its box lead.
#[tokio::test]
async fn words_in_a_search_box_lead_where_they_lead_a_reader() {
    const BOX: SearchBox = SearchBox { names: &["q", "searchword"], words: &["search", "搜索", "检索"] };
    let url = |rest: &str| Some(Lead { url: format!("https://www.example.gov.cn{rest}"), post: None });
    let form = |body: &str| Post {
        media_type: "application/x-www-form-urlencoded".to_owned(),
        body: body.as_bytes().to_vec(),
    };
    let posted = |rest: &str, body: &str| url(rest).map(|lead| Lead { post: Some(form(body)), ..lead });
    let words = "%E9%98%B2%E6%B1%9B";
    let cases = [
        // A form, with a field of its own and a window of its own.
        (
            "<form action=/s target=_blank><input type=hidden name=site value=1><input name=q><button>搜索</button></form>",
            url(&format!("/s?site=1&q={words}")),
        ),
        ("<form action=/s method=post><input name=q></form>", posted("/s", &format!("q={words}"))),
        // No form: a script beside the box, by a button, a picture or a link; another box before it.
        (
            "<input name=user><div><input id=kw placeholder=请输入搜索内容><a href=#>高级</a><img src=a.png onclick=\"window.open('/so?w='+encodeURIComponent(kw.value))\"></div>",
            url(&format!("/so?w={words}")),
        ),
        (
            "<div><div><input id=k class=search-input></div><div><a href='javascript:go()'>搜 索</a></div></div><script>function go(){location.href='/search.html#'+encodeURIComponent(k.value)}</script>",
            url(&format!("/search.html#{words}")),
        ),
        (
            "<form onsubmit='return false'><input name=q><input type=button value=搜索 onclick=\"location='/s/'+encodeURIComponent(this.form.q.value)\"></form>",
            url(&format!("/s/{words}")),
        ),
        // The Enter key alone.
        (
            "<input id=a name=searchWord><script>a.onkeydown=e=>{if(e.keyCode==13)location='/k?'+encodeURIComponent(a.value)}</script>",
            url(&format!("/k?{words}")),
        ),
        // A form that its script fills before it goes.
        (
            "<form action=/f method=POST><input type=hidden name=token><input name=q><input type=submit></form><script>document.forms[0].onsubmit=function(){this.token.value='t'}</script>",
            posted("/f", &format!("token=t&q={words}")),
        ),
        // Nothing comes of it.
        ("<input name=q><button>搜索</button>", None),
    ];
    let browser = browser(quick()).await;
    let search = async |html: &str, answers: &Answers| {
        let headers = vec![("content-type".to_owned(), "text/html; charset=utf-8".to_owned())];
        let answer = Resource { status: 200, headers, body: html.as_bytes().to_vec() };
        let searched = browser.search(Page { url: PAGE, answer }, (&BOX, "防汛"), answers).await;
        searched.expect("searched")
    };
    for (html, lead) in cases {
        let answers = Answers::default();
        let searched = search(html, &answers).await.unwrap_or_else(|| panic!("no box: {html}"));
        assert_eq!(searched.lead, lead, "{html}");
        assert_eq!(*answers.asked.lock().expect("lock"), Vec::<String>::new(), "{html}");
    }
    // Results that come into the page itself.
    let by_path = HashMap::from([("/api", "<a href=/1.html>防汛通知</a>")]);
    let answers = Answers { by_path, ..Answers::default() };
    let html = "<input name=q><button onclick=\"fetch('/api',{method:'POST',body:new URLSearchParams({w:this.previousSibling.value})}).then(r=>r.text()).then(t=>{r.innerHTML=t})\">搜索</button><div id=r></div>";
    let Searched { lead, before, after } = search(html, &answers).await.expect("a box");
    assert_eq!((lead, before.contains("防汛"), after.html.contains("防汛通知")), (None, false, true));
    assert!(after.settled, "{after:?}");
    // Another form is no search, and a password says whose form it is.
    for none in
        ["<p>没有", "<input name=user>", "<form action=/search><input name=q><input type=password></form>"]
    {
        assert_eq!(search(none, &Answers::default()).await, None, "{none}");
    }
}
