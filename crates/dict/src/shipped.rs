//! The dictionaries that come with xunjian: our own lists, a start for an office's own.

use std::path::Path;

use crate::{Dictionary, load_bytes};

const FILES: [(&str, &[u8]); 7] = [
    ("typos.tsv", include_bytes!("../data/typos.tsv")),
    ("phrases.tsv", include_bytes!("../data/phrases.tsv")),
    ("names.toml", include_bytes!("../data/names.toml")),
    ("ministries.toml", include_bytes!("../data/ministries.toml")),
    ("spam.toml", include_bytes!("../data/spam.toml")),
    ("placeholders.toml", include_bytes!("../data/placeholders.toml")),
    ("statements.toml", include_bytes!("../data/statements.toml")),
];

/// The shipped dictionaries: typos, set phrases, outdated names, spam, placeholders, serious misstatements.
///
/// # Panics
/// Never in a build whose tests passed: the files are part of the program.
pub fn shipped() -> Vec<Dictionary> {
    let load = |(name, bytes): (&str, &[u8])| match load_bytes(Path::new(name), bytes) {
        Ok(dictionary) => dictionary,
        Err(error) => panic!("shipped dictionary: {error}"),
    };
    FILES.into_iter().map(load).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::*;
    use crate::{Matcher, Place, Scratch};

    /// What the shipped lists find in a text on a page of today.
    fn found(text: &str) -> Vec<String> {
        static MATCHER: LazyLock<Matcher> = LazyLock::new(|| Matcher::new(&shipped()).expect("compiles"));
        let place = Place { date: Some(jiff::civil::date(2026, 1, 1)), ..Place::default() };
        let hits = MATCHER.find(text, &place, &mut Scratch::default());
        hits.iter().map(|hit| hit.entry.pattern.clone()).collect()
    }

    #[test]
    fn honest_sentences_are_left_alone() {
        for text in [
            "国家矿山安全监察局",
            "国家海洋局",
            "国家宗教事务局",
            "国务院侨务办公室",
            "国家外国专家局",
            "重庆市文化和旅游发展委员会",
            "市文化广电旅游局",
            "区文化旅游局",
            "澳门特区旅游局发布消息",
            "上海市经济和信息化委员会",
            "国家矿山安监局有关负责人",
            "农业农村部畜牧兽医局",
            "泰国副总理兼卫生部长阿努廷",
            "据美国媒体报道，美国农业部24日称",
            "巴勒斯坦卫生部表示",
            "陪同访华的有文化部部长",
            "韩国国土交通部表示",
            "将“中国银行业监督管理委员会”修改为“国家金融监督管理总局”",
            "芬兰首次举行大规模北约炮兵演习",
            "深化对口支援交流协作",
            "长春药监部门开展检查",
            "谨防刷单返利诈骗，不轻信、不转账",
            "公安机关查获老虎机六台，抓获聚众炸金花人员",
            "个人发票代开办事指南",
            "邮政网点代办证件",
            "考试机构不得修改成绩",
            "稳妥处理澳门博彩法律修订",
            "防范DDoS攻击",
            "沧海一粟",
            "发愤图强，山青水秀，倍受青睐",
            "聚集性疫情暴发事件",
            "1996.07—1998.10　国家经贸委经济研究咨询中心干部",
            "桂林市环境保护局原局长被开除党籍",
            "原四川省国土资源厅、原清远市工商局的档案",
            "根据原国家质量技术监督局公布的目录",
            "中华人民共和国农业部公告第2586号",
            "按照省物价局、财政厅价费[2006]107号文件规定的标准收取",
            "进一步做强医学中心，增设医学学科建设部",
            "可凭身份证办理毕业证书",
            "他对学习近乎痴迷，把资料学习进平台",
            "在以习近平同志为核心的党中央坚强领导下，坚持以习近平新时代中国特色社会主义思想为指导",
            "统筹推进“五位一体”的总体布局，协调推进“四个全面”的战略布局",
            "在担任白银市国土资源局副局长、局长等职务期间",
            "管委会规划建设部干部",
            "国家新型智慧城市建设部际协调工作组",
            "总后勤部卫生部认定的中心",
        ] {
            assert_eq!(found(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_found() {
        for (text, pattern) in [
            ("卫生部", "卫生部"),
            ("报经农业部批准后实施", "农业部"),
            ("市旅游局负责人介绍", "市旅游局"),
            ("太原市杏花岭区国土资源局", "国土资源局"),
            ("领导分管市监察局", "市监察局"),
            ("银保监会数据显示", "银保监会"),
            ("中国银行保险监督管理委员会", "中国银行保险监督管理委员会"),
            ("网络兼职刷单日结，首选平台", "网络兼职刷单日结"),
            ("百家乐_某市公安局", "百家乐"),
            ("澳门威尼斯人-某市中级人民法院", "澳门威尼斯人"),
            ("六合彩 违法和不良信息举报中心", "六合彩"),
            ("应对气侯变化", "气侯变化"),
            ("习近乎总书记指出", "习近乎"),
            ("以习近平总书记为核心的党中央坚强领导下", "以习近平总书记为核心的党中央"),
            ("深入学习习近平新时代特色社会主义思想", "习近平新时代特色社会主义思想"),
            ("粟战书委员长", "粟战书"),
            ("关于&nbsp;召开会议的通知", "&nbsp;"),
            ("<span style=\"font-size:16pt\">会议</span>", "<span style="),
        ] {
            assert_eq!(found(text), [pattern], "{text}");
        }
    }

    #[test]
    fn shipped_lists_are_as_large_as_promised() {
        let sizes: Vec<usize> = shipped().iter().map(|one| one.entries.len()).collect();
        assert!(sizes[0] >= 800, "typos: {}", sizes[0]);
        assert!(sizes[1] + sizes[6] >= 100, "set phrases: {}, misstatements: {}", sizes[1], sizes[6]);
        assert!(sizes[2] + sizes[3] >= 120, "outdated names: {} and {}", sizes[2], sizes[3]);
        assert!(sizes[4] >= 150, "spam: {}", sizes[4]);
        assert!(sizes[5] >= 20, "placeholders: {}", sizes[5]);
    }
}
