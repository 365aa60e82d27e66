//! Pages in the real browser: lists filled by script, and pages that mean harm.
//!
//! Needs Chromium in the search path; tests/run.sh installs it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::net::TcpListener;
use xunjian_render::{Asking, Browser, Page, RenderError, RenderLimits, Rendered, Request, Resource, Source};

const PAGE: &str = "https://www.example.gov.cn/tzgg/";

/// Answers by path; keeps what was asked.
#[derive(Default)]
struct Answers {
    by_path: HashMap<&'static str, &'static str>,
    asked: Mutex<Vec<String>>,
}

impl Source for Answers {
    fn get(&self, Request { url, .. }: Request) -> Asking<'_> {
        Box::pin(async move {
            self.asked.lock().expect("lock").push(url.clone());
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
    let asked = answers.asked.lock().expect("lock").clone();
    assert_eq!(asked, ["https://www.example.gov.cn/api/none.json"], "nothing is ever posted");
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
