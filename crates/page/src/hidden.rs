//! Whether an element is hidden from readers by its own attributes.

/// Pixels beyond which an offset puts an element off the screen.
const OFF_SCREEN: f32 = -500.0;

/// What is looked at of a style.
const PROPERTIES: [&str; 15] = [
    "display", "visibility", "opacity", "font-size", "left", "top", "text-indent", "margin-left",
    "margin-top", "height", "width", "overflow", "color", "background", "background-color",
];

/// Whether an inline style hides: display, visibility, size, offset, opacity.
pub(crate) fn style_hides(style: &str) -> bool {
    let mut zero_size = false;
    let mut clipped = false;
    let (mut colour, mut ground) = (None, None);
    for declaration in style.split(';') {
        let Some((name, value)) = declaration.split_once(':') else { continue };
        let name = name.trim();
        let Some(property) = PROPERTIES.iter().find(|one| name.eq_ignore_ascii_case(one)) else { continue };
        let value = value.trim().trim_end_matches("!important").trim();
        let is = |wanted: &str| value.eq_ignore_ascii_case(wanted);
        let number = || number(value);
        match *property {
            "display" if is("none") => return true,
            "visibility" if is("hidden") => return true,
            "opacity" if number() == Some(0.0) => return true,
            "font-size" if number().is_some_and(|size| size <= 1.0) => return true,
            "left" | "top" | "text-indent" | "margin-left" | "margin-top"
                if number().is_some_and(|offset| offset <= OFF_SCREEN) =>
            {
                return true;
            }
            "height" | "width" if number().is_some_and(|size| size <= 1.0) => zero_size = true,
            "overflow" if is("hidden") => clipped = true,
            "color" if is("transparent") => return true,
            "color" => colour = Some(same_colour(value)),
            "background" | "background-color" => ground = Some(same_colour(value)),
            _ => {}
        }
    }
    zero_size && clipped || colour.is_some() && colour == ground
}

/// Whether an inline style takes an element out of the page, as scripts do with what a click is to show.
pub(crate) fn is_put_away(style: &str) -> bool {
    style.split(';').filter_map(|declaration| declaration.split_once(':')).any(|(name, value)| {
        let value = value.trim().trim_end_matches("!important").trim();
        name.trim().eq_ignore_ascii_case("display") && value.eq_ignore_ascii_case("none")
    })
}

/// Whether a rule puts what it is for off the screen.
pub(crate) fn is_off_screen(style: &str) -> bool {
    style.split(';').filter_map(|declaration| declaration.split_once(':')).any(|(name, value)| {
        let is_offset = ["left", "top"].iter().any(|one| name.trim().eq_ignore_ascii_case(one));
        let value = value.trim().trim_end_matches("!important").trim();
        is_offset && number(value).is_some_and(|offset| offset <= OFF_SCREEN)
    })
}

/// The id of what a script takes out of the page that does nothing else: what nobody is to see stands before it.
pub(crate) fn put_away_by(script: &str) -> Option<&str> {
    let rest =
        script.trim().trim_start_matches("<!--").trim_start().strip_prefix("document.getElementById(")?;
    let quote = rest.chars().next().filter(|first| matches!(first, '"' | '\''))?;
    let (id, rest) = rest[1..].split_once(quote)?;
    let rest = rest.trim_start().strip_prefix(')')?.strip_prefix(".style.display")?;
    let value = rest.trim_start().strip_prefix('=')?.trim_start().strip_prefix(['"', '\''])?;
    let end = value.strip_prefix("none")?.strip_prefix(['"', '\''])?;
    let ends =
        end.trim_end_matches("-->").trim_end().trim_end_matches("//").trim().trim_end_matches(';').is_empty();
    (ends && !id.is_empty()).then_some(id)
}

/// The number that a value begins with, of whatever unit.
fn number(value: &str) -> Option<f32> {
    value.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == '%').parse().ok()
}

/// One spelling for a colour: `#FFF`, `#ffffff` and `white` are the same.
fn same_colour(value: &str) -> String {
    let value = value.to_ascii_lowercase();
    match value.as_str() {
        "white" => "#ffffff".to_owned(),
        "black" => "#000000".to_owned(),
        short if short.len() == 4 && short.starts_with('#') => {
            std::iter::once('#').chain(short[1..].chars().flat_map(|c| [c, c])).collect()
        }
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_to_hide() {
        for style in [
            "display:none", "DISPLAY : NONE", "position:absolute;left:-9999px", "font-size:0",
            "height:0;overflow:hidden", "text-indent:-999em", "opacity:0", "visibility:hidden",
            "color:#FFF;background-color:white", "color: transparent",
        ] {
            assert!(style_hides(style), "{style}");
        }
        for style in [
            "display:block", "left:-20px", "height:0", "font-size:12px", "opacity:0.5",
            "color:#fff;background:#c00", "color:red", "",
        ] {
            assert!(!style_hides(style), "{style}");
        }
    }
}
