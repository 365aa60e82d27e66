use proptest::prelude::*;

use crate::{Counts, Minimums, Model, Suspect};

fn shipped() -> &'static Model {
    static MODEL: std::sync::LazyLock<Model> = std::sync::LazyLock::new(Model::shipped);
    &MODEL
}

fn found(text: &str) -> Vec<(String, String)> {
    shipped()
        .suspects(text)
        .into_iter()
        .map(|Suspect { start, end, meant }| (text[start..end].to_owned(), meant))
        .collect()
}

fn pair(written: &str, meant: &str) -> (String, String) {
    (written.to_owned(), meant.to_owned())
}

#[test]
fn what_sounds_or_looks_like_a_word_is_suspected() {
    assert_eq!(found("依法追究行正责任。"), [pair("行正", "行政")]);
    assert_eq!(found("由人民捡察院提起诉讼，当事人可以申请行征复议。").len(), 2);
    assert_eq!(found("abc，末经批准不得使用；"), [pair("末经", "未经")]);
}

#[test]
fn clean_text_names_and_other_scripts_are_left_alone() {
    for text in [
        "国务院教育行政部门主管全国教育工作，统筹规划、协调管理全国的教育事业。",
        "甲、乙、丙三人约定共同出资。",
        "欢迎来到云川市松原湖县双桥村，村民李建国、王秀兰正在收割青稞。",
        "Hello, world 12345",
        "",
        "的",
    ] {
        assert_eq!(found(text), [], "{text}");
    }
}

#[test]
fn a_model_of_own_text_comes_back_from_its_file() {
    let mut counts = Counts::default();
    for _ in 0..50 {
        counts.add("云川市水利局负责河道管理。云川市水利局负责防汛抗旱。");
    }
    counts.add_word("河道", 5_000);
    let model = counts.model(Minimums::default());
    let again = Model::from_bytes(&model.to_bytes()).expect("a model");
    assert_eq!(again.runs(), model.runs());
    assert_eq!(again.fingerprint(), model.fingerprint());
    let suspects = again.suspects("云川市水利局负责合道管理");
    assert_eq!(suspects.len(), 1);
    assert_eq!(suspects[0].meant, "河道");
}

#[test]
fn files_that_are_no_models_are_refused() {
    let good = Counts::default().model(Minimums::default()).to_bytes();
    assert!(Model::from_bytes(&good).is_ok());
    for bytes in [&b""[..], b"XJSPELL1", b"something else", &good[..good.len() - 3]] {
        let error = Model::from_bytes(bytes).expect_err("refused");
        assert!(error.to_string().contains("xunjian dict train"), "{error}");
    }
}

proptest! {
    #[test]
    fn any_file_is_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut file = b"XJSPELL1".to_vec();
        file.extend(zstd::encode_all(&bytes[..], 1).expect("packed"));
        if let Ok(model) = Model::from_bytes(&file) {
            model.suspects("一个文本");
        }
    }

    #[test]
    fn spans_lie_in_the_text_and_do_not_overlap(text in "([行正政府依法追究责任的中申请末未经]|a|，){0,40}") {
        let mut end = 0;
        for suspect in shipped().suspects(&text) {
            prop_assert!(suspect.start >= end && suspect.end > suspect.start);
            prop_assert_ne!(&text[suspect.start..suspect.end], &suspect.meant);
            end = suspect.end;
        }
    }
}
