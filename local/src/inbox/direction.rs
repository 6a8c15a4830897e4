//! The direction of a message's language.

/// `rtl` for a mail that says so, and for a text that begins with a letter of a script from right to left, or has mostly such letters. A text
/// may begin with the product's name, and a short one may have little else.
pub(super) fn of(html: Option<&str>, text: &str) -> &'static str {
    let says_so = html.is_some_and(|html| html.contains("dir=\"rtl\""));
    let letters = || text.chars().filter(|letter| letter.is_alphabetic());
    let begins = letters().next().is_some_and(is_from_right);
    let from_right = letters().filter(|letter| is_from_right(*letter)).count();
    if says_so || begins || from_right * 2 > letters().count() { "rtl" } else { "ltr" }
}

/// Hebrew, Arabic and the scripts between them, with their presentation forms.
fn is_from_right(letter: char) -> bool {
    matches!(letter, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn a_language_has_its_direction() {
        for (text, direction) in [
            ("123456 is your Latchkey code", "ltr"),
            ("رمز Latchkey: 123456", "rtl"),
            ("Latchkey: رمز التحقق الخاص بك هو 123456", "rtl"),
            ("קוד האימות שלך: 123456", "rtl"),
            ("123456", "ltr"),
            ("验证码 123456", "ltr"),
        ] {
            assert_eq!(of(None, text), direction, "{text}");
        }
        assert_eq!(of(Some("<html lang=\"ar\" dir=\"rtl\">"), "123456"), "rtl");
    }
}
