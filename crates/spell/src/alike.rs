//! Characters that are mistaken for each other: of the same sound, or of a similar shape.

use std::collections::HashMap;

use pinyin::ToPinyinMulti as _;

use crate::grams::Model;

/// What a mistake costs, in nats: the rarer, the more.
const SAME_SOUND: f32 = 7.0;
const NEAR_SOUND: f32 = 8.0;
const SHAPE: f32 = 7.5;
/// Steps of a count (some twenty times) from which a character is one that may have been meant.
const MEANT_STEPS: u8 = 17;

/// Character, then those that look like it.
static SHAPES: &str = include_str!("../data/alike.txt");

/// By character, what may have been meant, and its cost.
#[derive(Debug, Default)]
pub(crate) struct Alike(HashMap<char, Vec<(u16, f32)>>);

impl Alike {
    pub(crate) fn new(model: &Model) -> Self {
        let mut exact: HashMap<String, Vec<char>> = HashMap::new();
        let mut near: HashMap<String, Vec<char>> = HashMap::new();
        let meant: Vec<char> =
            model.chars().iter().copied().filter(|c| model.single(*c) >= MEANT_STEPS).collect();
        for c in &meant {
            for sound in sounds(*c) {
                near.entry(blurred(&sound)).or_default().push(*c);
                exact.entry(sound).or_default().push(*c);
            }
        }
        let mut shapes: HashMap<char, Vec<char>> = HashMap::new();
        for line in SHAPES.lines().filter(|line| !line.starts_with('#')) {
            let mut chars = line.chars();
            if let Some(first) = chars.next() {
                shapes.insert(first, chars.filter(|c| model.single(*c) >= MEANT_STEPS).collect());
            }
        }
        let mut alike = HashMap::new();
        let all = shapes.keys().copied().chain(meant.iter().copied());
        for c in all.collect::<std::collections::HashSet<_>>() {
            let mut costs: HashMap<char, f32> = HashMap::new();
            let mut add = |others: Option<&Vec<char>>, cost: f32| {
                for other in others.into_iter().flatten().filter(|other| **other != c) {
                    costs.entry(*other).and_modify(|known| *known = known.min(cost)).or_insert(cost);
                }
            };
            add(shapes.get(&c), SHAPE);
            for sound in sounds(c) {
                add(near.get(&blurred(&sound)), NEAR_SOUND);
                add(exact.get(&sound), SAME_SOUND);
            }
            let mut others: Vec<(u16, f32)> =
                costs.into_iter().map(|(other, cost)| (model.number(other), cost)).collect();
            others.sort_unstable_by_key(|(number, _)| *number);
            alike.insert(c, others);
        }
        Self(alike)
    }

    pub(crate) fn of(&self, c: char) -> &[(u16, f32)] {
        self.0.get(&c).map_or(&[], Vec::as_slice)
    }
}

/// The readings of a character, without tones.
fn sounds(c: char) -> Vec<String> {
    let Some(readings) = c.to_pinyin_multi() else { return Vec::new() };
    let mut sounds: Vec<String> = readings.into_iter().map(|one| one.plain().to_owned()).collect();
    sounds.sort_unstable();
    sounds.dedup();
    sounds
}

/// A sound as speakers of many regions say it: zh as z, n as l, -ng as -n.
fn blurred(sound: &str) -> String {
    let mut sound = sound.to_owned();
    for (from, to) in [("zh", "z"), ("ch", "c"), ("sh", "s"), ("n", "l")] {
        if let Some(rest) = sound.strip_prefix(from) {
            sound = format!("{to}{rest}");
            break;
        }
    }
    if sound.ends_with("ng") {
        sound.pop();
    }
    match sound.strip_prefix("hu") {
        Some(rest) if !rest.is_empty() => format!("f{rest}"),
        _ => sound,
    }
}
