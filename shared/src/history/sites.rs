//! Sites and words that sources are named by.
//!
//! These tables only choose names. A missing entry costs a less friendly name, and a wrong one misleads no rule.

/// A site that sends people, or a campaign's `utm_source`.
pub(super) struct Site {
    /// Separated by spaces. A word with a dot is a host with its subdomains, any other the owner's label of a host or a value of
    /// `utm_source`. A word after `=` is such a value only.
    words: &'static str,
    pub(super) name: &'static str,
    pub(super) category: &'static str,
}

const fn site(words: &'static str, name: &'static str, category: &'static str) -> Site {
    Site { words, name, category }
}

/// The first match counts, so hosts of a company's other sites come first.
const SITES: [Site; 46] = [
    site("mail.google.com gmail", "Gmail", "Mail"),
    site("outlook.live.com outlook.office.com outlook", "Outlook", "Mail"),
    site("mail.yahoo.com", "Yahoo Mail", "Mail"),
    site("mailchimp list-manage.com", "Mailchimp", "Newsletter"),
    site("substack", "Substack", "Newsletter"),
    site("gemini.google.com gemini", "Gemini", "AI Assistant"),
    site("copilot.microsoft.com copilot", "Copilot", "AI Assistant"),
    site("chat.openai.com chatgpt openai", "ChatGPT", "AI Assistant"),
    site("claude anthropic", "Claude", "AI Assistant"),
    site("perplexity", "Perplexity", "AI Assistant"),
    site("play.google.com googleplay google-play", "Google Play", "App Store"),
    site("apps.apple.com appstore app-store", "App Store", "App Store"),
    site("google googleads adwords", "Google", "Search Engine"),
    site("bing", "Bing", "Search Engine"),
    site("duckduckgo", "DuckDuckGo", "Search Engine"),
    site("yahoo", "Yahoo", "Search Engine"),
    site("yandex ya.ru", "Yandex", "Search Engine"),
    site("baidu", "Baidu", "Search Engine"),
    site("ecosia", "Ecosia", "Search Engine"),
    site("search.brave.com", "Brave", "Search Engine"),
    site("qwant", "Qwant", "Search Engine"),
    site("startpage", "Startpage", "Search Engine"),
    site("kagi", "Kagi", "Search Engine"),
    site("facebook fb.com fb.me =fb =meta", "Facebook", "Social Network"),
    site("instagram =ig", "Instagram", "Social Network"),
    site("threads", "Threads", "Social Network"),
    site("twitter x.com t.co =x", "X", "Social Network"),
    site("linkedin lnkd.in", "LinkedIn", "Social Network"),
    site("reddit redd.it", "Reddit", "Social Network"),
    site("pinterest pin.it", "Pinterest", "Social Network"),
    site("tiktok", "TikTok", "Social Network"),
    site("snapchat", "Snapchat", "Social Network"),
    site("bsky.app bsky.social bluesky", "Bluesky", "Social Network"),
    site("mastodon", "Mastodon", "Social Network"),
    site("vk.com =vk", "VK", "Social Network"),
    site("youtube youtu.be", "YouTube", "Video"),
    site("vimeo", "Vimeo", "Video"),
    site("telegram t.me", "Telegram", "Messenger"),
    site("whatsapp wa.me", "WhatsApp", "Messenger"),
    site("discord", "Discord", "Messenger"),
    site("slack", "Slack", "Messenger"),
    site("github", "GitHub", "Developer Site"),
    site("gitlab", "GitLab", "Developer Site"),
    site("stackoverflow", "Stack Overflow", "Developer Site"),
    site("news.ycombinator.com hackernews =hn", "Hacker News", "Developer Site"),
    site("producthunt", "Product Hunt", "Directory"),
];

/// Parameters that advertising and mailing systems add to the links to a page: the name, the site, and the category.
pub(super) const CLICKS: [(&str, &str, &str); 18] = [
    ("gclid", "Google", "Google Ads"),
    ("gbraid", "Google", "Google Ads"),
    ("wbraid", "Google", "Google Ads"),
    ("dclid", "Google", "Google Ads"),
    ("srsltid", "Google", "Google Shopping"),
    ("msclkid", "Microsoft", "Microsoft Ads"),
    ("fbclid", "Facebook", "Facebook"),
    ("igshid", "Instagram", "Instagram"),
    ("twclid", "X", "X Ads"),
    ("li_fat_id", "LinkedIn", "LinkedIn Ads"),
    ("ttclid", "TikTok", "TikTok Ads"),
    ("rdt_cid", "Reddit", "Reddit Ads"),
    ("sccid", "Snapchat", "Snapchat Ads"),
    ("epik", "Pinterest", "Pinterest Ads"),
    ("yclid", "Yandex", "Yandex Ads"),
    ("mc_cid", "Mailchimp", "Newsletter"),
    ("mc_eid", "Mailchimp", "Newsletter"),
    ("_hsenc", "HubSpot", "Newsletter"),
];

/// Parameters that say that another person sent the link.
pub(super) const PERSONAL: [(&str, &str); 9] = [
    ("ref", "Referral"),
    ("referral", "Referral"),
    ("referrer", "Referral"),
    ("via", "Referral"),
    ("aff", "Referral"),
    ("affiliate", "Referral"),
    ("invite", "Invitation"),
    ("invitation", "Invitation"),
    ("invite_code", "Invitation"),
];

/// Words in the host and in the path of a page of the deployer, and their category. The first match counts.
const WORDS: [(&str, &str); 19] = [
    ("register registration signup sign-up sign_up join create-account get-started", "Website Registration"),
    ("invite invitation invitations", "Invitation"),
    ("ref referral referrals", "Referral"),
    ("pricing prices plans", "Pricing Page"),
    ("checkout cart", "Checkout"),
    ("demo trial", "Trial"),
    ("event events webinar webinars", "Event"),
    ("lp landing promo campaign", "Landing Page"),
    ("dashboard dashboards dash", "Dashboard"),
    ("admin backoffice", "Admin"),
    ("docs doc documentation developers developer wiki", "Documentation"),
    ("blog news", "Blog"),
    ("help support faq", "Support"),
    ("community forum", "Community"),
    ("shop store", "Shop"),
    ("download downloads", "Download Page"),
    ("dev staging test preview", "Development"),
    ("login log-in signin sign-in auth accounts", "Website Sign-In"),
    ("app portal console", "App"),
];

/// Hosts below which each customer of a company has an own site.
const HOSTING: &str = "vercel.app netlify.app pages.dev workers.dev github.io gitlab.io herokuapp.com web.app firebaseapp.com \
    amplifyapp.com cloudfront.net azurewebsites.net onrender.com fly.dev blogspot.com";

/// Second-level labels of countries, as in `example.co.uk`.
const SECOND: &str = "ac co com edu go gob gov ne net nom or org";

/// The category of the first entry that has one of these words, and the word.
pub(super) fn category<'a>(words: &[&'a str]) -> Option<(&'a str, &'static str)> {
    WORDS.iter().find_map(|(listed, category)| {
        let word = words.iter().find(|word| is_listed(word, listed))?;
        Some((*word, *category))
    })
}

/// The site of a host in lower case.
pub(super) fn by_host(host: &str) -> Option<&'static Site> {
    let (_, label) = owner(host);
    let is_at = |word: &str| host == word || host.strip_suffix(word).is_some_and(|rest| rest.ends_with('.'));
    SITES
        .iter()
        .find(|site| site.words.split(' ').any(|word| if word.contains('.') { is_at(word) } else { word == label }))
}

/// The site of a `utm_source` in lower case.
pub(super) fn by_value(value: &str) -> Option<&'static Site> {
    if value.contains('.') {
        return by_host(value);
    }
    SITES.iter().find(|site| site.words.split(' ').any(|word| word.trim_start_matches('=') == value))
}

/// The labels of a host before its owner's, and the owner's: `a.b` and `example` of `a.b.example.co.uk`.
pub(super) fn owner(host: &str) -> (Vec<&str>, &str) {
    let mut labels: Vec<&str> = host.split('.').collect();
    let top = labels.pop().unwrap_or_default();
    let Some(label) = labels.pop() else { return (labels, top) };
    let is_country = top.len() == 2 && is_listed(label, SECOND);
    let is_below = is_country || is_listed(&format!("{label}.{top}"), HOSTING);
    match is_below.then(|| labels.pop()).flatten() {
        Some(customer) => (labels, customer),
        None => (labels, label),
    }
}

fn is_listed(word: &str, list: &str) -> bool {
    list.split(' ').any(|listed| listed == word)
}
