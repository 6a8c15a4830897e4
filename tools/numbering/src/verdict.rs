//! The library's verdict about a national number, as labels of [`Forest`].

use crate::forest::{Forest, Label, NEVER, NOTHING, Node};
use crate::library::{CallingCode, Kind, Region};
use crate::pattern;

/// A range for mobile phones, possibly together with fixed lines.
const MOBILE: Label = 1;
/// The first bit of the country: its alphabetical position from 1, or 0 without a country.
pub(crate) const COUNTRY: u32 = 1;
/// The bits of type and country. They are the answer.
pub(crate) const ANSWER: Label = (1 << 10) - 1;
/// The main region's numbers may have this form.
pub(crate) const VIABLE: Label = 1 << 10;
/// If the rest has this length, the library removes the prefix before it.
pub(crate) const FITS: Label = 1 << 11;
/// Set in every verdict, so that "no country, no mobile phone" differs from [`NOTHING`].
pub(crate) const SAID: Label = 1 << 12;

/// The longest national number in the library.
pub(crate) const LONGEST: usize = 17;
/// The shortest.
const SHORTEST: usize = 2;

/// Countries, and the automata of their calling codes.
pub(crate) struct Verdicts<'a> {
    pub(crate) forest: &'a mut Forest,
    pub(crate) countries: &'a [&'a str],
}

impl Verdicts<'_> {
    /// Country and type of each national number after a calling code.
    pub(crate) fn national(&mut self, code: &CallingCode) -> Node {
        let answer = match code.regions.as_slice() {
            [only] => self.only(only),
            regions => regions.iter().rev().fold(NEVER, |others, region| {
                let own = self.among_others(region);
                self.forest.over(own, others)
            }),
        };
        let is_long_enough = self.forest.by_length(SHORTEST, |len| if len < SHORTEST { NOTHING } else { SAID });
        self.forest.within(answer, is_long_enough)
    }

    /// The facts about each national number that decide whether the library removes a prefix.
    pub(crate) fn facts(&mut self, code: &CallingCode) -> Node {
        let main = code.regions.first().expect("a main region");
        let viable = self.matching(&main.general.pattern, VIABLE);
        let fitting = self.forest.by_length(LONGEST + 1, |len| if fits(main, len) { FITS | SAID } else { SAID });
        self.forest.both(viable, fitting, &|viable, fitting| viable | fitting)
    }

    /// The only region of a calling code has all of its numbers, in any form.
    fn only(&mut self, region: &Region) -> Node {
        let (known, any) = (self.known(region), self.label(region));
        let any = self.forest.always(any);
        self.forest.over(known, any)
    }

    /// One of several regions. If it has leading digits, all numbers with these belong to it. Otherwise, all numbers of a
    /// known kind do.
    fn among_others(&mut self, region: &Region) -> Node {
        match &region.leading {
            None => self.known(region),
            Some(leading) => {
                let any = self.forest.always(SAID);
                let area = pattern::before(self.forest, leading, any);
                let own = self.only(region);
                self.forest.within(own, area)
            }
        }
    }

    /// The region's numbers of any known kind. The first match decides: a number of a special kind is no mobile phone, and a number
    /// that is both a mobile phone and a fixed line may be a mobile phone.
    fn known(&mut self, region: &Region) -> Node {
        let plain = self.label(region);
        let special = region.special.iter().map(|kind| (kind, plain));
        let in_order = special.chain([(&region.mobile, plain | MOBILE), (&region.fixed_line, plain)]);
        let known = in_order.fold(NEVER, |known, (kind, label)| {
            let kind = self.kind(kind, label);
            self.forest.over(known, kind)
        });
        let general = self.kind(&region.general, SAID);
        self.forest.within(known, general)
    }

    fn kind(&mut self, kind: &Kind, label: Label) -> Node {
        let matching = self.matching(&kind.pattern, label);
        if kind.lengths.is_empty() {
            return matching;
        }
        let fitting =
            self.forest.by_length(LONGEST + 1, |len| if contains(&kind.lengths, len) { SAID } else { NOTHING });
        self.forest.within(matching, fitting)
    }

    /// Matches whole numbers, not just their beginning.
    fn matching(&mut self, pattern: &Option<String>, label: Label) -> Node {
        let end = self.forest.node(label, [NEVER; 10]);
        pattern.as_ref().map_or(NEVER, |pattern| pattern::before(self.forest, pattern, end))
    }

    fn label(&self, region: &Region) -> Label {
        let place = |country: &str| self.countries.binary_search(&country).expect("a listed country") + 1;
        let place = region.country.as_deref().map_or(0, place);
        SAID | (place as Label) << COUNTRY
    }
}

/// Whether the library's `testNumberLength` avoids the answers "too short", "local only" and "invalid".
fn fits(main: &Region, len: usize) -> bool {
    let lengths = &main.general.lengths;
    let is_too_long = lengths.iter().all(|length| *length < len as i32);
    !contains(&main.local_lengths, len) && !lengths.contains(&-1) && (contains(lengths, len) || is_too_long)
}

fn contains(lengths: &[i32], len: usize) -> bool {
    lengths.contains(&(len as i32))
}
