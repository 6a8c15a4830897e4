//! The one page that the API itself serves: the question behind the link of a notice.
//!
//! It has a form and a style, and neither a script nor an image. Everything on it but the token is fixed, and a token has letters,
//! digits and few other characters.

use askama::Template;
use data_encoding::BASE64;
use sha2::{Digest, Sha256};

use crate::sessions::Disavowal;
use crate::texts::{Language, disavow};
use crate::words::{Error, Result};

/// A page.
pub struct Page {
    /// The HTML.
    pub(super) html: String,
    /// Its `Content-Security-Policy`: its own style and form, and nothing else.
    pub(super) policy: String,
}

#[derive(Template)]
#[template(path = "disavow.html")]
struct Html<'a> {
    language: Language,
    style: &'static str,
    title: &'static str,
    body: &'static str,
    /// The button and the token that it sends.
    form: Option<(&'static str, &'a str)>,
}

const STYLE: &str = include_str!("../../templates/disavow.css");

impl Page {
    /// The question, with a button that sends the token.
    ///
    /// # Errors
    /// [`Error::Internal`] when the template fails to render.
    pub fn question(token: &Disavowal, language: Language) -> Result<Page> {
        let form = Some((disavow::button(language), &*token.reveal()));
        Page::of(language, disavow::title(language), disavow::body(language), form)
    }

    /// The answer to the button. `before` is whether it was pressed before.
    ///
    /// # Errors
    /// [`Error::Internal`] when the template fails to render.
    pub fn done(before: bool, language: Language) -> Result<Page> {
        let body = if before { disavow::done_before(language) } else { disavow::done(language) };
        Page::of(language, disavow::done_title(language), body, None)
    }

    /// The answer to a link that does not work, for whatever reason.
    ///
    /// # Errors
    /// [`Error::Internal`] when the template fails to render.
    pub fn invalid(language: Language) -> Result<Page> {
        Page::of(language, disavow::invalid_title(language), disavow::invalid(language), None)
    }

    fn of(
        language: Language,
        title: &'static str,
        body: &'static str,
        form: Option<(&'static str, &str)>,
    ) -> Result<Page> {
        let html = Html { language, style: STYLE, title, body, form }.render().map_err(Error::internal)?;
        let digest = BASE64.encode(&Sha256::digest(STYLE));
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        );
        Ok(Page { html, policy })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "AAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAA";

    /// The digest in the policy is of the text between the tags, byte for byte.
    #[test]
    fn a_page_may_use_its_own_style() {
        let page = Page::question(&TOKEN.parse().unwrap(), Language::De).unwrap();
        let style = page.html.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
        assert!(page.policy.contains(&BASE64.encode(&Sha256::digest(style))), "{}", page.policy);
        assert!(!page.html.contains("<script") && !page.html.contains("http"), "{}", page.html);
        assert!(page.html.contains(&format!("value=\"{TOKEN}\"")));
    }

    #[test]
    fn only_the_question_has_a_form() {
        for page in [Page::done(false, Language::En), Page::done(true, Language::En), Page::invalid(Language::En)] {
            assert!(!page.unwrap().html.contains("<form"));
        }
    }
}
