//! Chinese office prose, varied enough not to compress away.

use fastrand::Rng;

use crate::rng::{pick, pick_char};
use crate::words::{
    ADVERBS, AIMS, GIVEN, OBJECTS, OPENERS, ORGS, PLACE_HEADS, PLACE_TAILS, SURNAMES, TITLE_TAILS, UNITS,
    VERBS,
};

pub(crate) fn person(rng: &mut Rng) -> String {
    let mut name = pick_char(rng, SURNAMES).to_string();
    name.push(pick_char(rng, GIVEN));
    if rng.bool() {
        name.push(pick_char(rng, GIVEN));
    }
    name
}

pub(crate) fn place(rng: &mut Rng) -> String {
    let mut name = pick_char(rng, PLACE_HEADS).to_string();
    name.push(pick_char(rng, PLACE_HEADS));
    name.push_str(pick(rng, &PLACE_TAILS));
    name
}

pub(crate) fn title(rng: &mut Rng) -> String {
    format!("{}{}{}", place(rng), pick(rng, &OBJECTS), pick(rng, &TITLE_TAILS))
}

fn clause(rng: &mut Rng) -> String {
    match rng.u8(..6) {
        0 => {
            format!("{}{}{}{}", pick(rng, &ORGS), pick(rng, &ADVERBS), pick(rng, &VERBS), pick(rng, &OBJECTS))
        }
        1 => format!(
            "{}{}{}，涉及{}{}",
            pick(rng, &ADVERBS),
            pick(rng, &VERBS),
            pick(rng, &OBJECTS),
            rng.u32(2..4_800),
            pick(rng, &UNITS)
        ),
        2 => format!("{}的{}由{}牵头", place(rng), pick(rng, &OBJECTS), pick(rng, &ORGS)),
        3 => format!(
            "完成{}{}，占计划的{}.{}%",
            rng.u32(3..900),
            pick(rng, &UNITS),
            rng.u32(40..99),
            rng.u32(0..9)
        ),
        4 => format!("{}同志到{}{}{}", person(rng), place(rng), pick(rng, &VERBS), pick(rng, &OBJECTS)),
        _ => format!("{}{}与{}", pick(rng, &VERBS), pick(rng, &OBJECTS), pick(rng, &OBJECTS)),
    }
}

pub(crate) fn sentence(rng: &mut Rng) -> String {
    let mut text = String::new();
    if rng.u8(..3) > 0 {
        text.push_str(pick(rng, &OPENERS));
        text.push('，');
    }
    text.push_str(&clause(rng));
    for _ in 0..rng.u8(..3) {
        text.push('，');
        text.push_str(&clause(rng));
    }
    if rng.bool() {
        text.push('，');
        text.push_str(pick(rng, &AIMS));
    }
    text.push('。');
    text
}

pub(crate) fn paragraph(rng: &mut Rng) -> String {
    (0..rng.usize(3..7)).map(|_| sentence(rng)).collect()
}
