//! The settings of frontends: origins, the API's own domain, and how tokens travel.

use super::reader::{Check, Reader};
use crate::http::{Frontends, Origin, TokenDelivery, is_host_name};

const IS_DOMAIN: Check = (is_host_name, "a domain name in lower case, such as auth.example.com");

impl Reader<'_> {
    pub(super) fn domain(&mut self) -> Option<String> {
        self.optional("DOMAIN_NAME", IS_DOMAIN)
    }

    /// A deployment whose frontends would get no cookie does not start with them as the rule.
    pub(super) fn frontends(&mut self) -> Frontends {
        let usual = match self.choice("TOKEN_DELIVERY", "body", &["body", "cookie"]).as_str() {
            "cookie" => TokenDelivery::Cookie,
            _ => TokenDelivery::Body,
        };
        let frontends = Frontends::new(usual, self.origins(), self.get("DOMAIN_NAME").as_deref());
        let without: Vec<_> = frontends.without_cookies().collect();
        if usual == TokenDelivery::Cookie && !without.is_empty() {
            self.problems.push(format!(
                "TOKEN_DELIVERY: a browser sends cookies within one registrable domain and over https only: DOMAIN_NAME \
                 must be under the same one as every origin of ALLOWED_ORIGINS, and is not for {}",
                without.join(", ")
            ));
        }
        frontends
    }

    fn origins(&mut self) -> Vec<Origin> {
        let list = self.get("ALLOWED_ORIGINS").unwrap_or_default();
        let origins: Result<Vec<Origin>, _> = list.split(',').map(|text| text.trim().parse()).collect();
        origins.unwrap_or_else(|_| {
            let expected = "origins such as https://app.example.com, without a path or a final slash, by commas";
            self.problem("ALLOWED_ORIGINS", expected);
            Vec::new()
        })
    }
}
