//! The email and the SMS with a code, for any product name.

use std::time::Duration;

use shared::codes::{Code, Purpose};
use shared::http::is_host_name;
use shared::messages::{LONGEST_HOST, LONGEST_PRODUCT, Message, SmsLength, Text, is_gsm7};
use shared::texts::Language;

use crate::{Target, Word, texts};

#[rustfmt::skip] // Words side by side.
pub(super) const MESSAGE: Target = Target {
    name: "message", asks_functions: false,
    run: message,
    seeds: || {
        texts([
            "Latchkey\napp.example.com\n300",
            "<b>&Co\n\n600",
            "{{ code }} {% if %}\nlocalhost\n90",
            "Schlüssel & Söhne\nx\n60",
        ])
    },
    dictionary: &[
        "<", ">", "&", "\"", "'", "&#60;", "{{", "}}", "{%", "<script>", "javascript:", "\r\nBcc: bob@example.com",
        "\n", "é", "鍵", "012345", "012346", "0", "59", "60", "599", "app.example.com", "%s", "\u{202e}",
    ],
    reaches: &["mail and SMS", "mail", "no product"],
};

/// Three lines: the product, the host, the seconds. Every message contains the code, the product is never parsed as HTML, a
/// subject is one line, and an English SMS is one part (S17, S79).
fn message(input: &[u8]) -> Word {
    let text = String::from_utf8_lossy(input);
    let mut lines = text.split('\n');
    let mut line = || lines.next().unwrap_or_default().trim();
    let (product, host) = (line(), line());
    let life = Duration::from_secs(line().parse().ok().filter(|life| (60..=600).contains(life)).unwrap_or(300));
    // The same limits as in the settings.
    if product.chars().count() > LONGEST_PRODUCT || product.chars().any(char::is_control) {
        return "no product";
    }
    let code = Code::read("987654").unwrap();
    for (language, purpose) in all() {
        let with = |product| Message::with_code(language, product, (&code, purpose), life, true).unwrap();
        let Message { subject, text, html } = with(product);
        assert!(subject.starts_with("987654") && !subject.chars().any(char::is_control), "{subject}");
        assert!(text.contains("\n987654\n") && text.contains(product) && html.contains("987654"));
        let marks = |html: &str| ['<', '>', '"', '\''].map(|mark| html.matches(mark).count());
        assert_eq!(marks(&html), marks(&with("").html), "the product {product} is HTML");
    }
    if !is_gsm7(product) {
        return "mail";
    }
    let host = Some(host).filter(|host| host.len() <= LONGEST_HOST && is_host_name(host));
    for (language, purpose) in all() {
        let sms = Text::with_code(language, product, (&code, purpose), life, host);
        let parts = SmsLength::of(sms.reveal()).parts;
        assert!(parts <= 2 && (language != Language::En || parts == 1), "{}", sms.reveal());
        if let Some(host) = host {
            assert_eq!(sms.reveal().lines().last(), Some(format!("@{host} #987654").as_str()));
        }
    }
    "mail and SMS"
}

fn all() -> impl Iterator<Item = (Language, Purpose)> {
    Language::ALL.into_iter().flat_map(|language| Purpose::ALL.map(|purpose| (language, purpose)))
}
