//! Links to other articles, which stand below the text of one and are none of it: those before and behind, and more
//! of the same matter.

/// What they are called.
const NAMES: [&str; 12] = [
    "上一篇", "下一篇", "上一条", "下一条", "上一则", "下一则", "上一页", "下一页", "上篇", "下篇", "前一篇",
    "后一篇",
];
/// What stands around the name.
const AROUND: [char; 14] = ['：', ':', '[', ']', '【', '】', '(', ')', '（', '）', '<', '>', '«', '»'];

/// What stands above rows of more to read.
const MORE: [&str; 3] = ["推荐阅读", "延伸阅读", "猜你喜欢"];
const RELATED: [&str; 10] = ["阅读", "新闻", "文章", "报道", "稿件", "链接", "信息", "内容", "推荐", "资讯"];

/// Whether a line names rows of more to read: 相关阅读.
pub(crate) fn is_name_of_related(text: &str) -> bool {
    let name = text.trim().trim_matches(AROUND).trim();
    MORE.contains(&name) || name.strip_prefix("相关").is_some_and(|rest| RELATED.contains(&rest))
}

/// Whether a line leads to one: 上一篇：关于召开会议的通知.
pub(crate) fn is_neighbour(text: &str) -> bool {
    behind_name(text).is_some_and(|rest| rest.is_empty() || rest.starts_with(AROUND) || rest.starts_with(' '))
}

/// Whether a line is its name alone, and what it leads to stands in the next one.
pub(crate) fn is_name_of_neighbour(text: &str) -> bool {
    behind_name(text).is_some_and(|rest| rest.trim_matches(AROUND).trim().is_empty())
}

fn behind_name(text: &str) -> Option<&str> {
    let text = text.trim_start().trim_start_matches(AROUND).trim_start();
    // Most lines begin with none of these.
    text.starts_with(['上', '下', '前', '后'])
        .then(|| NAMES.iter().find_map(|name| text.strip_prefix(name)))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_lead_to_other_articles() {
        for text in [
            "上一篇：关于召开会议的通知",
            "【下一篇】 公示",
            "下一条 没有了",
            "上一页",
            "« 上一篇",
            " 前一篇：甲",
        ] {
            assert!(is_neighbour(text), "{text}");
        }
        for text in ["相关阅读", "【相关链接】", "相关新闻：", "推荐阅读"] {
            assert!(is_name_of_related(text), "{text}");
        }
        for text in ["相关政策", "相关", "相关新闻报道如下", "阅读"] {
            assert!(!is_name_of_related(text), "{text}");
        }
        for text in ["上一条生产线建成", "下一篇章", "上级部门", "关于上一篇：", ""] {
            assert!(!is_neighbour(text), "{text}");
        }
        assert!(
            is_name_of_neighbour("上一篇：")
                && is_name_of_neighbour("【下一篇】")
                && !is_name_of_neighbour("下一条：公示")
        );
    }
}
