//! The words of notices, and of the page behind their link. `{product}` stands for the product's name.

/// The words of one notice.
pub(super) struct NoticeWords {
    pub(super) subject: &'static str,
    pub(super) title: &'static str,
    /// What happened.
    pub(super) body: &'static str,
    /// What to do if the user did it.
    pub(super) if_you: &'static str,
    /// What to do if somebody else did it.
    pub(super) if_not_you: &'static str,
}

/// The words that notices share.
pub(super) struct CommonWords {
    pub(super) device: &'static str,
    pub(super) time: &'static str,
    /// The words of the link.
    pub(super) not_me: &'static str,
}

pub(super) const COMMON: CommonWords = CommonWords { device: "Device", time: "Time", not_me: "This was not me" };

pub(super) const NEW_SIGN_IN: NoticeWords = NoticeWords {
    subject: "New sign-in to {product}",
    title: "New sign-in",
    body: "A device that we do not know signed in to your {product} account.",
    if_you: "If this was you, there is nothing to do.",
    if_not_you: "If this was not you, sign out all devices with the link in this email. It works for ten days.",
};

pub(super) const CONTACT_CHANGED: NoticeWords = NoticeWords {
    subject: "Your {product} contact has changed",
    title: "Contact changed",
    body: "The email address or phone number of your {product} account has changed.",
    if_you: "If this was you, there is nothing to do.",
    if_not_you: "If this was not you, undo the change with the link in this email.",
};

pub(super) const FACTOR_ADDED: NoticeWords = NoticeWords {
    subject: "New second factor for {product}",
    title: "Second factor added",
    body: "Your {product} account has a new second factor.",
    if_you: "If this was you, there is nothing to do.",
    if_not_you: "If this was not you, sign in to {product}, remove the factor and sign out everywhere.",
};

pub(super) const FACTOR_REMOVED: NoticeWords = NoticeWords {
    subject: "Second factor removed from {product}",
    title: "Second factor removed",
    body: "Your {product} account has lost a second factor.",
    if_you: "If this was you, there is nothing to do.",
    if_not_you: "If this was not you, sign in to {product} and sign out everywhere.",
};

pub(super) const LEAVING: NoticeWords = NoticeWords {
    subject: "Your {product} account will be deleted",
    title: "Account deletion",
    body: "Your {product} account will be deleted at the time below.",
    if_you: "If you want this, there is nothing to do.",
    if_not_you: "To keep the account, sign in to {product} before then and cancel the deletion.",
};

pub(super) const SUSPENDED: NoticeWords = NoticeWords {
    subject: "Your {product} account is suspended",
    title: "Account suspended",
    body: "Your {product} account is suspended. You cannot sign in until it is restored.",
    if_you: "The operator of {product} can tell you the reason.",
    if_not_you: "",
};

pub(super) const WELCOME: NoticeWords = NoticeWords {
    subject: "Welcome to {product}",
    title: "Welcome",
    body: "Your {product} account is ready. Sign in with a code to this email address whenever you like. You need no password.",
    if_you: "Nobody from {product} will ever ask you for a code.",
    if_not_you: "If you did not sign up, somebody has used this mailbox. Change its password.",
};

/// The words of the page behind the link of a notice.
pub struct PageWords {
    /// The title of the question.
    pub title: &'static str,
    /// What the button does.
    pub body: &'static str,
    /// The button.
    pub button: &'static str,
    /// The title after it.
    pub done_title: &'static str,
    /// What it did.
    pub done: &'static str,
    /// What it did the first time.
    pub done_before: &'static str,
    /// The title for a link that does not work.
    pub invalid_title: &'static str,
    /// What to do without the link.
    pub invalid: &'static str,
}

/// The words of the page.
pub const PAGE: PageWords = PageWords {
    title: "Was this sign-in not you?",
    body: "Sign out all devices of your account now. You can sign in again at once.",
    button: "Sign out all devices",
    done_title: "All devices are signed out",
    done: "Somebody may be able to read your messages. Change the password of your mailbox, then sign in again.",
    done_before: "This was done before. Devices that signed in since then stay signed in.",
    invalid_title: "This link does not work",
    invalid: "It may have expired. Sign in and sign out everywhere to end all other sessions.",
};
