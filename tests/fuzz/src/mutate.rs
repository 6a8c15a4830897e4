//! Makes small random changes to inputs. The same seed gives the same changes.

/// SplitMix64: small, evenly distributed, and the same on every machine.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, or 0.
    pub fn below(&mut self, end: usize) -> usize {
        (self.draw() % (end.max(1) as u64)) as usize
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

/// Longer inputs are cut off. The parsers' limits are at 8 KiB and below.
const LONGEST: usize = 12 * 1024;

/// Input that is difficult for all parsers: terminators, quotes, numbers at limits, other scripts, invalid UTF-8.
#[rustfmt::skip] // Words side by side.
const ANYWHERE: [&[u8]; 40] = [
    b"\0", b"\n", b"\r\n", b"\t", b" ", b"\"", b"'", b"\\", b"/", b"//", b".", b"..", b",", b";", b":", b"=", b"&",
    b"%00", b"%2e", b"+", b"-", b"0", b"-1", b"1e999", b"9007199254740993", b"18446744073709551616", b"4294967296",
    b"{", b"}", b"[", b"]", b"null", "\u{feff}".as_bytes(), "é".as_bytes(), "ı".as_bytes(), "８".as_bytes(),
    "\u{202e}".as_bytes(), "😀".as_bytes(), b"\xff", b"\xed\xa0\x80",
];

/// One to seven small changes of `input`. Parts may come from `others`.
pub fn mutated(input: &[u8], others: &[Vec<u8>], dictionary: &[&str], random: &mut Random) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..=random.below(4) * random.below(3) {
        change(&mut bytes, others, dictionary, random);
    }
    bytes.truncate(LONGEST);
    bytes
}

fn change(bytes: &mut Vec<u8>, others: &[Vec<u8>], dictionary: &[&str], random: &mut Random) {
    let (from, to) = range(bytes.len(), random);
    match random.below(12) {
        0 if from < bytes.len() => bytes[from] ^= 1 << random.below(8),
        1 if from < bytes.len() => bytes[from] = random.draw() as u8,
        2 => drop(bytes.drain(from..to)),
        3 => drop(bytes.splice(from..from, bytes[from..to].to_vec())),
        4 => bytes.truncate(from),
        5 => drop(bytes.splice(from..to, random.one_of(&ANYWHERE).iter().copied())),
        6 | 7 if !dictionary.is_empty() => drop(bytes.splice(from..to, random.one_of(dictionary).bytes())),
        8 if !dictionary.is_empty() => drop(bytes.splice(from..from, random.one_of(dictionary).bytes())),
        9 => {
            let other = &others[random.below(others.len())];
            let (start, end) = range(other.len(), random);
            drop(bytes.splice(from..to, other[start..end].iter().copied()));
        }
        10 => {
            let word = if dictionary.is_empty() { b"a" } else { random.one_of(dictionary).as_bytes() };
            let times = 1 << random.below(10);
            drop(bytes.splice(from..from, word.repeat(times).into_iter().take(LONGEST)));
        }
        _ => digit(bytes, from, random),
    }
}

/// Replaces the next digit from `from` on.
fn digit(bytes: &mut [u8], from: usize, random: &mut Random) {
    if let Some(digit) = bytes[from..].iter_mut().find(|byte| byte.is_ascii_digit()) {
        *digit = b'0' + random.below(10) as u8;
    }
}

/// A range within `length`, usually a short one.
fn range(length: usize, random: &mut Random) -> (usize, usize) {
    let from = random.below(length + 1);
    let longest = if random.below(4) == 0 { length } else { 8 };
    (from, from + random.below(longest.min(length - from) + 1))
}
