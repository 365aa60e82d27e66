//! The hosts outside the city that its pages link to.

use crate::files;
use crate::site_server::Answer;

const HTML: &str = "text/html; charset=utf-8";

/// Names and wildcard names, with the address each resolves to (`None`: there is no such name).
pub(crate) const HOSTS: [(&str, Resolves); 12] = [
    ("www.xinwen-sim.com.cn", Resolves::City),
    ("www.zhengfu-sim.gov.cn", Resolves::City),
    ("data.tongji-sim.cn", Resolves::City),
    ("*.lapsed-sim.cn", Resolves::City),
    ("*.parked-sim.com", Resolves::City),
    ("*.shop-sim.com", Resolves::City),
    ("expired-tls-sim.cn", Resolves::City),
    ("wrong-name-sim.cn", Resolves::City),
    ("selfsigned-sim.cn", Resolves::City),
    ("media-sim.cn", Resolves::City),
    ("closed-sim.cn", Resolves::Refused),
    ("*.nx-sim.cn", Resolves::Nowhere),
];

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resolves {
    City,
    Refused,
    Nowhere,
}

pub(crate) fn answer(host: &str, path: &str) -> Answer {
    let zone = host.split_once('.').map_or(host, |(_, zone)| zone);
    match (host, zone) {
        (_, "lapsed-sim.cn") => Answer::new(
            200,
            HTML,
            "<html><head><title>澳门威尼斯人赌场-真人荷官在线发牌</title></head><body>百家乐 老虎机 注册送彩金 六合彩</body></html>",
        ),
        (_, "parked-sim.com") => Answer::new(
            200,
            HTML,
            "<html><head><title>域名出售</title></head><body>该域名正在出售 This domain is for sale. Buy this domain</body></html>",
        ),
        ("data.tongji-sim.cn", _) => Answer::new(403, HTML, "<html><body>Forbidden</body></html>"),
        ("www.xinwen-sim.com.cn", _) if path.starts_with("/images/ok-") => {
            Answer::new(200, "image/png", files::PNG)
        }
        ("www.xinwen-sim.com.cn", _) if path.starts_with("/player/") => Answer::new(
            200,
            HTML,
            "<html><head><title>播放</title></head><body><div id=\"p\"></div></body></html>",
        ),
        ("www.xinwen-sim.com.cn", _) if path.starts_with("/lost/") => {
            Answer::new(404, HTML, "<html><body>404</body></html>")
        }
        _ if host.ends_with("-sim.cn") || host.ends_with("-sim.com") || host.contains("-sim.") => {
            Answer::new(
                200,
                HTML,
                "<html><head><title>首页</title></head><body><h1>欢迎访问</h1><p>今日要闻与服务信息。</p></body></html>",
            )
        }
        _ => Answer::new(421, "text/plain", "no such site in this city\n"),
    }
}
