//! The names under which a judgement tells what it was judged from, in Chinese.

/// The Chinese name of an input; a column's name, for example, is what it is.
pub fn input_zh(name: &str) -> &str {
    match name {
        "activity" => "活动",
        "answers are older than" => "答复早于",
        "application" => "在线申请",
        "asked before" => "留言早于",
        "asked from" => "留言起于",
        "catalogue" => "事项目录",
        "confirmed" => "已确认",
        "days" => "天数",
        "failed" => "失败",
        "form" => "表格",
        "guides" => "办事指南",
        "missing" => "缺少",
        "monitoring point" => "监测时间点",
        "newest answer" => "最新答复",
        "newest item" => "最新信息",
        "on other pages" => "其他页面",
        "on the home page" => "首页",
        "own line visits left out" => "因本机线路不计的访问",
        "registration" => "注册登录",
        "reported outage visits left out" => "因报备停机不计的访问",
        "result" => "结果反馈",
        "sample" => "样表",
        "share" => "失败比例",
        "share with reported outages" => "含报备停机的失败比例",
        "visits" => "访问",
        "waiting" => "待确认",
        other => other,
    }
}
