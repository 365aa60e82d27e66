//! Whether an element is hidden from readers by its own attributes.

/// Pixels beyond which an offset puts an element off the screen.
const OFF_SCREEN: f32 = -500.0;

/// Whether an inline style hides: display, visibility, size, offset, opacity.
pub(crate) fn style_hides(style: &str) -> bool {
    let mut zero_size = false;
    let mut clipped = false;
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
            _ => {}
        }
    }
    zero_size && clipped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_to_hide() {
        for style in [
            "display:none", "DISPLAY : NONE", "position:absolute;left:-9999px", "font-size:0",
            "height:0;overflow:hidden", "text-indent:-999em", "opacity:0", "visibility:hidden",
        ] {
            assert!(style_hides(style), "{style}");
        }
        for style in ["display:block", "left:-20px", "height:0", "font-size:12px", "opacity:0.5", ""] {
            assert!(!style_hides(style), "{style}");
        }
    }
}
