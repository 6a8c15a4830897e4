// Where users of well-known providers read their mail, for a link beside the field for the code.

const GMAIL = ["Gmail", "https://mail.google.com/"];
const OUTLOOK = ["Outlook", "https://outlook.live.com/mail/"];
const YAHOO = ["Yahoo Mail", "https://mail.yahoo.com/"];
const ICLOUD = ["iCloud Mail", "https://www.icloud.com/mail/"];
const PROTON = ["Proton Mail", "https://mail.proton.me/"];
const GMX = ["GMX", "https://www.gmx.net/"];
const YANDEX = ["Yandex Mail", "https://mail.yandex.com/"];

const WEBMAIL = new Map(Object.entries({
  "gmail.com": GMAIL,
  "googlemail.com": GMAIL,
  "outlook.com": OUTLOOK,
  "outlook.de": OUTLOOK,
  "outlook.fr": OUTLOOK,
  "hotmail.com": OUTLOOK,
  "hotmail.co.uk": OUTLOOK,
  "hotmail.de": OUTLOOK,
  "hotmail.es": OUTLOOK,
  "hotmail.fr": OUTLOOK,
  "hotmail.it": OUTLOOK,
  "live.com": OUTLOOK,
  "live.co.uk": OUTLOOK,
  "live.fr": OUTLOOK,
  "live.nl": OUTLOOK,
  "msn.com": OUTLOOK,
  "yahoo.com": YAHOO,
  "yahoo.co.uk": YAHOO,
  "yahoo.co.in": YAHOO,
  "yahoo.de": YAHOO,
  "yahoo.es": YAHOO,
  "yahoo.fr": YAHOO,
  "yahoo.it": YAHOO,
  "ymail.com": YAHOO,
  "aol.com": ["AOL Mail", "https://mail.aol.com/"],
  "icloud.com": ICLOUD,
  "me.com": ICLOUD,
  "mac.com": ICLOUD,
  "proton.me": PROTON,
  "protonmail.com": PROTON,
  "pm.me": PROTON,
  "gmx.de": GMX,
  "gmx.net": GMX,
  "gmx.at": GMX,
  "gmx.com": ["GMX", "https://www.gmx.com/"],
  "web.de": ["WEB.DE", "https://web.de/email/"],
  "t-online.de": ["Telekom Mail", "https://email.t-online.de/"],
  "fastmail.com": ["Fastmail", "https://app.fastmail.com/"],
  "zoho.com": ["Zoho Mail", "https://mail.zoho.com/"],
  "mail.com": ["mail.com", "https://www.mail.com/"],
  "mail.ru": ["Mail.ru", "https://e.mail.ru/"],
  "yandex.com": YANDEX,
  "yandex.ru": YANDEX,
  "qq.com": ["QQ Mail", "https://mail.qq.com/"],
  "163.com": ["NetEase Mail", "https://mail.163.com/"],
  "naver.com": ["Naver Mail", "https://mail.naver.com/"],
  "orange.fr": ["Orange Mail", "https://messagerie.orange.fr/"],
  "libero.it": ["Libero Mail", "https://mail.libero.it/"],
}));

/** The webmail of an email address, as `{ name, url }`. Undefined for other domains and for phone numbers. */
export function webmail(identifier) {
  const found = WEBMAIL.get(String(identifier).trim().toLowerCase().split("@").slice(1).pop());
  return found && { name: found[0], url: found[1] };
}
