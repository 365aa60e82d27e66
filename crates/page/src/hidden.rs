//! Whether an element is hidden from readers by its own attributes.

/// Pixels beyond which an offset puts an element off the screen.
const OFF_SCREEN: f32 = -500.0;

/// Whether an inline style hides: display, visibility, size, offset, opacity.
pub(crate) fn style_hides(style: &str) -> bool {
    let mut zero_size = false;
    let mut clipped = false;
    let (mut colour, mut ground) = (None, None);
    for declaration in style.split(';') {
        let Some((name, value)) = declaration.split_once(':') else { continue };
        let value = value.trim().trim_end_matches("!important").trim().to_ascii_lowercase();
        let number = || {
            let digits = value.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == '%');
            digits.parse::<f32>().ok()
        };
        match name.trim().to_ascii_lowercase().as_str() {
            "display" if value == "none" => return true,
            "visibility" if value == "hidden" => return true,
            "opacity" if number() == Some(0.0) => return true,
            "font-size" if number().is_some_and(|size| size <= 1.0) => return true,
            "left" | "top" | "text-indent" | "margin-left" | "margin-top"
                if number().is_some_and(|offset| offset <= OFF_SCREEN) =>
            {
                return true;
            }
            "height" | "width" if number().is_some_and(|size| size <= 1.0) => zero_size = true,
            "overflow" if value == "hidden" => clipped = true,
            "color" if value == "transparent" => return true,
            "color" => colour = Some(same_colour(&value)),
            "background" | "background-color" => ground = Some(same_colour(&value)),
            _ => {}
        }
    }
    zero_size && clipped || colour.is_some() && colour == ground
}

/// One spelling for a colour: `#FFF`, `#ffffff` and `white` are the same.
fn same_colour(value: &str) -> String {
    match value {
        "white" => "#ffffff".to_owned(),
        "black" => "#000000".to_owned(),
        short if short.len() == 4 && short.starts_with('#') => {
            std::iter::once('#').chain(short[1..].chars().flat_map(|c| [c, c])).collect()
        }
        other => other.to_owned(),
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
