//! The size of an SMS. The build script checks the texts of all languages with this file.

/// The maximum length of a product's name, in characters.
pub const LONGEST_PRODUCT: usize = 40;
/// The maximum length of the host in the last line, in characters.
pub const LONGEST_HOST: usize = 47;
/// The length of a long code.
pub(crate) const LONGEST_CODE: usize = 13;

/// Whether every character is in the basic table of 3GPP TS 23.038, except line ends and escape. Any other character would take
/// two places or switch the SMS to parts of 70 characters.
pub fn is_gsm7(text: &str) -> bool {
    const OTHERS: &str = "@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./:;<=>?¡ÄÖÑÜ§¿äöñüà";
    text.chars().all(|char| char.is_ascii_alphanumeric() || OTHERS.contains(char))
}

/// The characters that fit into `parts`. A part has 140 bytes. Each of several parts begins with a header of six bytes.
pub(crate) fn room(parts: usize, is_gsm7: bool) -> usize {
    let [alone, joined] = if is_gsm7 { [160, 153] } else { [70, 67] };
    if parts == 1 { alone } else { parts * joined }
}
