//! The SMS policy: allowed countries and daily budgets. Strangers could otherwise spend the deployment's money on
//! text messages (V40).

use std::collections::BTreeSet;
use std::time::Duration;

use crate::codes::limits::{Allowance, DAY, day_end};
use crate::codes::sms_money::SmsMoney;
use crate::config::Reader;
use crate::words::{Channel, Country, Destination, Entropy, Error, Forbidden, Lane, Money, Phone, Result, Timestamp};

/// The allowed destinations of SMS, and their limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmsPolicy {
    /// The countries with SMS. If empty, SMS is off.
    pub countries: BTreeSet<Country>,
    /// How long a code sent by SMS is valid.
    pub expiry: Duration,
    /// Messages per day to all countries together.
    pub daily: u32,
    /// Messages per day to one country.
    pub daily_per_country: u32,
    /// The limit in money. Only a function that sends reads it.
    pub money: Option<SmsMoney>,
    /// How many texts a call counts as. Only a function that sends reads it.
    pub call_units: u32,
    /// Requests for an SMS per day from one network.
    pub daily_per_network: u32,
    /// The share of the budgets and of the breaker, in percent, that only known devices may use (S167).
    pub reserved: u32,
    /// The circuit breaker for countries and ranges with hardly any used codes.
    pub breaker: Breaker,
}

/// The circuit breaker against SMS pumping. An attacker who earns from messages to certain numbers answers none of
/// them, while real users answer most.
///
/// A pumping attacker owns ranges of numbers, so the breaker counts a debt for each range as well as for each
/// country. Each message adds `share` to the debt, and each used code subtracts 100. The breaker stops messages at
/// the debt of `sends` or `range_sends` unanswered ones. It allows another message if codes still under way are used,
/// or if the last message is `pause` old. It stops strangers before the reserve of known devices is touched. After the
/// pause, each waiting request of a stranger is let through with a probability of 1 in 8. Otherwise the first request
/// would always be the probe, and an attacker could always send the first one.
///
/// Used codes also build up credit, limited to the same number of messages, so that one busy morning does not cover a
/// whole attack. An attack without answers therefore gets the strangers' part of `range_sends` messages to a range and
/// of `sends` to a country, up to `sends` more where users have just answered, and then at most one for each `pause`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Breaker {
    /// Unanswered messages in a day at which a country is stopped.
    pub sends: u32,
    /// Unanswered messages in a day at which a range of numbers is stopped.
    pub range_sends: u32,
    /// The share of codes, in percent, that must be used to keep sending. 0 turns the breaker off.
    pub share: u32,
    /// How long a stopped country or range waits after its last message.
    pub pause: Duration,
}

/// The country and the range of a message, for counting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The number's country.
    pub country: Country,
    /// The range: the number's first six digits, including the country code. Thousands of numbers share it, so it
    /// identifies nobody.
    pub range: String,
}

/// The daily limits of a country or a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Messages to all countries together.
    pub total: u32,
    /// Messages to this country or range.
    pub sent: u32,
    /// The cost of messages to all countries together, if it is limited.
    pub money: Option<Money>,
    /// The breaker debt at which it is stopped.
    pub debt: i64,
}

/// The most that may be counted before a message, in the units of [`Bounds`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Messages to all countries together.
    pub total: u32,
    /// Messages to this country or range.
    pub sent: u32,
    /// The cost of messages to all countries together, if it is limited.
    pub money: Option<Money>,
}

const RANGE_DIGITS: usize = 6;
/// A call costs about as much as so many texts, if `VOICE_UNITS` says nothing else.
pub const CALL_UNITS: u32 = 10;

/// The share of the daily limits that a message takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charge {
    /// The number of texts that it counts as, towards the messages. The breaker counts a call like a text: otherwise one unanswered
    /// call would stop a country.
    pub units: u32,
    /// Its cost. Nothing if money is not counted.
    pub cost: Money,
}

/// A day's counts for one country or one range.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// Messages to all countries together.
    pub total: u32,
    /// Messages to this country or range.
    pub sent: u32,
    /// The cost of messages to all countries together.
    pub money: Money,
    /// The breaker debt. A negative debt is credit.
    pub debt: i64,
    /// When the last message to it was sent.
    pub last: Timestamp,
}

/// The setting of the replaced systems for both expiries, and the seconds in its unit.
pub(super) const EXPIRY_MINUTES: (&str, u64) = ("OTP_EXPIRY_MINUTES", 60);

pub(super) fn read_sms_expiry(read: &mut Reader<'_>) -> Duration {
    Duration::from_secs(read.number_or_alias("OTP_SMS_EXPIRY_SECONDS", EXPIRY_MINUTES, 300, 60..=600))
}

/// Reads how many texts a call counts as.
pub fn read_call_units(read: &mut Reader<'_>) -> u32 {
    read.count("VOICE_UNITS", CALL_UNITS, 1..=100)
}

impl SmsPolicy {
    /// Reads the SMS settings of a function that sends.
    pub fn read_with_money(read: &mut Reader<'_>) -> SmsPolicy {
        let call_units = read_call_units(read);
        SmsPolicy { money: SmsMoney::read(read), call_units, ..SmsPolicy::read(read) }
    }

    /// Reads the SMS settings, except those about money.
    pub fn read(read: &mut Reader<'_>) -> SmsPolicy {
        SmsPolicy {
            countries: read_countries(read),
            expiry: read_sms_expiry(read),
            daily: read.count("SMS_DAILY_BUDGET", 200, 0..=1_000_000),
            daily_per_country: read.count("SMS_DAILY_BUDGET_PER_COUNTRY", 100, 0..=1_000_000),
            money: None,
            call_units: CALL_UNITS,
            daily_per_network: read.count("SMS_PER_IP_DAY", 10, 0..=1_000_000),
            reserved: read.count("SMS_RESERVED_SHARE", 50, 0..=90),
            breaker: Breaker {
                sends: read.count("SMS_BREAKER_SENDS", 20, 1..=1_000_000),
                range_sends: read.count("SMS_BREAKER_RANGE_SENDS", 5, 1..=1_000_000),
                share: read.count("SMS_BREAKER_SHARE", 10, 0..=100),
                pause: read.seconds("SMS_BREAKER_SECONDS", 7_200, 60..=86_400),
            },
        }
    }

    /// Checks whether a message can reach `to`. Email always can.
    ///
    /// # Errors
    /// As [`SmsPolicy::target`].
    pub fn reaches(&self, to: &Destination) -> Result<()> {
        match to {
            Destination::Email(_) => Ok(()),
            Destination::Sms(phone) | Destination::Voice(phone) | Destination::Whatsapp(phone) => {
                self.target(phone).map(drop)
            }
        }
    }

    /// The target of an SMS to `phone`.
    ///
    /// # Errors
    /// [`Error::Forbidden`] if its country is unknown or missing from `SMS_COUNTRIES`. [`Error::InvalidPhone`] for a number
    /// outside the ranges for mobile phones: nobody could read the text there, and some of these numbers are costly (S151).
    pub fn target(&self, phone: &Phone) -> Result<Target> {
        let plan = phone.plan();
        let is_sent_to = |country: &Country| self.countries.contains(country);
        let country = plan.country.filter(is_sent_to);
        let country = country.ok_or(Error::Forbidden(Forbidden::SmsCountry))?;
        if !plan.is_mobile {
            return Err(Error::InvalidPhone);
        }
        Ok(Target { country, range: phone.reveal().chars().skip(1).take(RANGE_DIGITS).collect() })
    }

    /// A country's daily limits for a client on `lane`.
    pub fn of_country(&self, lane: Lane) -> Bounds {
        let [total, sent] = [self.daily, self.daily_per_country].map(|most| {
            // A part of a number is not more than the number.
            u32::try_from(self.open_to(lane, u64::from(most))).unwrap_or(most)
        });
        let money = self.money.as_ref().map(|money| Money::micros(self.open_to(lane, money.daily.as_micros())));
        Bounds { total, sent, money, debt: self.breaker.debt_of(self.breaker.sends, self.open_percent(lane)) }
    }

    /// A range's daily limits, in addition to those of its country.
    pub fn of_range(&self, lane: Lane) -> Bounds {
        let debt = self.breaker.debt_of(self.breaker.range_sends, self.open_percent(lane));
        Bounds { total: u32::MAX, sent: u32::MAX, money: None, debt }
    }

    /// The charge of a message of so many `parts` by `channel`. Only a text has several parts.
    pub fn charge(&self, channel: Channel, country: Country, parts: u32) -> Charge {
        let units = if channel == Channel::Voice { self.call_units } else { 1 };
        Charge { units, cost: self.cost(country, units.saturating_mul(parts)) }
    }

    /// The cost of so many parts of texts to `country`. Nothing if money is not counted.
    fn cost(&self, country: Country, parts: u32) -> Money {
        self.money.as_ref().map(|money| money.price(country).times(parts)).unwrap_or_default()
    }

    /// The percentage that clients on `lane` may use.
    fn open_percent(&self, lane: Lane) -> u32 {
        match lane {
            Lane::Open => 100_u32.saturating_sub(self.reserved),
            Lane::Known => 100,
        }
    }

    /// The part of `most` that clients on `lane` may use, rounded up.
    fn open_to(&self, lane: Lane, most: u64) -> u64 {
        most.saturating_mul(u64::from(self.open_percent(lane))).div_ceil(100)
    }

    /// The daily requests of one network.
    pub fn of_network(&self) -> Allowance {
        Allowance { count: self.daily_per_network, per: DAY }
    }

    /// When the next message may be sent if it costs `cost`, given the counts in `spent`. `None` means now.
    pub fn closed_until(
        &self,
        bounds: Bounds,
        spent: Spent,
        charge: Charge,
        is_probe: bool,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let day_end = day_end(now);
        if bounds.are_spent(spent, charge) {
            return Some(day_end);
        }
        let again = spent.last.after(self.breaker.pause).min(day_end);
        if spent.debt < bounds.debt {
            return None;
        }
        if again <= now {
            return (!is_probe).then(|| now.after(SOON));
        }
        // While codes are under way, a used one may let the next message through at any moment.
        let is_settled = spent.last.after(self.expiry) <= now;
        Some(if is_settled { again } else { again.min(now.after(SOON)) })
    }
}

/// A client that asks for an SMS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The lane of the client.
    pub lane: Lane,
    /// Whether it may be the one message that a stopped country or range gets after the pause.
    pub is_probe: bool,
}

/// One in so many requests of strangers may be the probe.
const PROBES_ONE_IN: u64 = 8;

impl Waiting {
    /// Draws whether a request may be the probe. A known device always may.
    ///
    /// # Errors
    /// As [`Entropy::below`].
    pub fn draw(lane: Lane) -> Result<Waiting> {
        let is_probe = lane == Lane::Known || Entropy.below(PROBES_ONE_IN)? == 0;
        Ok(Waiting { lane, is_probe })
    }
}

/// How soon to check again if the answer may change at any moment.
const SOON: Duration = Duration::from_secs(30);

/// Names the first unknown code and corrects the usual slips.
fn read_countries(read: &mut Reader<'_>) -> BTreeSet<Country> {
    let expected = "ISO 3166 codes of countries with phone numbers, such as US,GB, separated by commas";
    let listed = read.get("SMS_COUNTRIES").unwrap_or_default();
    // Only two letters are quoted. Other text may have come here by mistake, and may be a secret.
    let is_code = |text: &&str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
    let mut codes = listed.split(',').map(str::trim).filter(is_code);
    let Some(unknown) = codes.find(|code| code.parse::<Country>().is_err()) else {
        return read.list("SMS_COUNTRIES", expected, |code| code.parse().ok());
    };
    let unknown = unknown.to_ascii_uppercase();
    let advice = match unknown.as_str() {
        "UK" => "Did you mean `GB`?",
        "EL" => "Did you mean `GR`?",
        _ => "Use codes such as US,GB",
    };
    read.report(format!("SMS_COUNTRIES: `{unknown}` is not an ISO 3166 country code with phone numbers. {advice}"));
    BTreeSet::new()
}

impl Bounds {
    /// Whether the day's messages or money are used up for a message of this charge. Unlike the breaker, used codes do not change this.
    pub fn are_spent(self, spent: Spent, charge: Charge) -> bool {
        let Some(Room { total, sent, money }) = self.before(charge) else { return true };
        spent.total > total || spent.sent > sent || money.is_some_and(|most| spent.money > most)
    }

    /// The most that may be counted before a message of this charge. `None` if it is more than a whole day's.
    pub fn before(self, charge: Charge) -> Option<Room> {
        let money = match self.money {
            Some(most) => Some(most.less(charge.cost)?),
            None => None,
        };
        let [total, sent] = [self.total, self.sent].map(|most| most.checked_sub(charge.units));
        Some(Room { total: total?, sent: sent?, money })
    }

    /// The limit of credit from used codes: as many messages as the debt may reach.
    pub fn most_credit(self) -> i64 {
        -self.debt
    }
}

impl Breaker {
    /// A used code subtracts this from the debt, and a message adds the share.
    pub const PAID_BY_USE: i64 = 100;

    /// The debt of `percent` of so many messages, rounded up. With a share of 0 the debt stays 0, and a limit above 0 is never
    /// reached.
    fn debt_of(self, sends: u32, percent: u32) -> i64 {
        let hundredths = i64::from(sends) * i64::from(self.share).max(1) * i64::from(percent);
        (hundredths + 99) / 100
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn policy() -> SmsPolicy {
        let countries = |name: &str| (name == "SMS_COUNTRIES").then(|| "GB,US".to_owned());
        crate::config::read(countries, SmsPolicy::read).unwrap()
    }

    fn country(number: &str) -> std::result::Result<String, &'static str> {
        let target = policy().target(&number.parse().unwrap());
        target.map(|target| target.country.code().to_owned()).map_err(|error| error.code())
    }

    /// S70: numbers in other countries are refused, and so are numbers with an unknown country.
    #[test]
    fn a_number_gets_sms_if_its_country_is_listed() {
        assert_eq!(country("+447400123456").as_deref(), Ok("GB"));
        assert_eq!(country("+12125550123").as_deref(), Ok("US"));
        // Canada and the Bahamas share the code of the United States.
        for other in ["+14165550123", "+12423591234", "+4915112345678", "+882161234567", "+99912345678"] {
            assert_eq!(country(other), Err("forbidden"), "{other}");
        }
        // Premium rate, shared cost, a landline, a personal number, freephone.
        for other in
            ["+19002345678", "+449012345678", "+448431234567", "+442079460958", "+447012345678", "+18002345678"]
        {
            assert_eq!(country(other), Err("invalid_phone"), "{other}");
        }
    }

    const FREE: Charge = charge(0);

    const fn charge(micros: u64) -> Charge {
        Charge { units: 1, cost: Money::micros(micros) }
    }

    const NOON: u64 = 1_767_268_800;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_unix(NOON + seconds)
    }

    /// How long a country is closed, in seconds from noon, if its last message was sent at noon.
    fn closed(total: u32, sent: u32, debt: i64, now: u64) -> Option<u64> {
        let spent = Spent { total, sent, debt, last: at(0), ..Spent::default() };
        policy().closed_until(policy().of_country(Lane::Known), spent, FREE, true, at(now)).map(|end| end.unix() - NOON)
    }

    #[test]
    fn a_spent_budget_is_closed_until_midnight() {
        assert_eq!(closed(199, 99, 0, 0), None);
        assert_eq!(closed(200, 0, 0, 0), Some(43_200));
        assert_eq!(closed(100, 100, 0, 43_199), Some(43_200));
    }

    #[test]
    fn a_country_in_debt_waits_for_an_answer_or_for_the_pause() {
        assert_eq!(closed(19, 19, 199, 0), None);
        assert_eq!(closed(20, 20, 200, 0), Some(30), "codes are under way");
        assert_eq!(closed(20, 20, 200, 300), Some(7_200), "nobody can answer any more");
        assert_eq!(closed(20, 20, 200, 7_200), None);
        assert_eq!(closed(90, 90, -5, 0), None);
    }

    /// The defaults: 20 unanswered messages for a country and 5 for a range, with a share of 10 percent.
    #[test]
    fn credit_and_debt_have_the_same_limit() {
        let bounds = [policy().of_country(Lane::Known), policy().of_range(Lane::Known)];
        assert_eq!(bounds.map(|bounds| (bounds.debt, bounds.most_credit())), [(200, -200), (50, -50)]);
    }

    /// S167: half of everything is out of strangers' reach, whatever the settings are.
    #[test]
    fn the_reserve_is_a_share_of_each_limit() {
        let of = |reserved, daily| {
            let policy = SmsPolicy { reserved, daily, ..policy() };
            let (country, range) = (policy.of_country(Lane::Open), policy.of_range(Lane::Open));
            ([country.total, country.sent], [country.debt, range.debt])
        };
        assert_eq!(of(50, 200), ([100, 50], [100, 25]));
        assert_eq!(of(0, 200), ([200, 100], [200, 50]));
        assert_eq!(of(90, 1_000_000), ([100_000, 10], [20, 5]));
        assert_eq!(of(50, 1), ([1, 50], [100, 25]), "the last message is not reserved");
        assert_eq!(of(50, 0), ([0, 50], [100, 25]));
        assert_eq!(policy().of_range(Lane::Open).total, u32::MAX);
    }

    /// S71: the money of a message must be left as a whole, and known devices have a reserve of it too.
    #[test]
    fn a_message_needs_its_whole_cost() {
        let money = |micros| Money::micros(micros);
        let daily = SmsMoney { daily: money(1_000), prices: [("GB".parse().unwrap(), money(300))].into() };
        let policy = SmsPolicy { money: Some(daily), ..policy() };
        let [open, known] = [Lane::Open, Lane::Known].map(|lane| policy.of_country(lane));
        let spent = |micros| Spent { money: money(micros), ..Spent::default() };
        for (bounds, left) in [(known, 1_000), (open, 500)] {
            assert!(!bounds.are_spent(spent(left - 300), charge(300)));
            assert!(bounds.are_spent(spent(left - 299), charge(300)));
            assert!(bounds.are_spent(spent(0), charge(left + 1)), "it costs more than a day may");
        }
        let gb = "GB".parse().unwrap();
        let of = |channel, parts| policy.charge(channel, gb, parts);
        assert_eq!((of(Channel::Sms, 1), of(Channel::Sms, 2)), (charge(300), charge(600)));
        assert!(!policy.of_range(Lane::Open).are_spent(spent(u64::MAX), charge(300)), "only the day has money");
        assert_eq!(super::tests::policy().charge(Channel::Sms, gb, 2), FREE, "money is off");
        // S263: a call counts as ten texts, in messages and in money.
        assert_eq!(of(Channel::Voice, 1), Charge { units: 10, cost: money(3_000) });
        assert_eq!(of(Channel::Whatsapp, 1), charge(300));
        let call = Charge { units: 10, cost: money(0) };
        let sent = |sent| Spent { sent, total: sent, ..Spent::default() };
        assert!(!known.are_spent(sent(90), call) && known.are_spent(sent(91), call));
        let few = SmsPolicy { daily: 9, ..policy };
        assert!(few.of_country(Lane::Known).are_spent(sent(0), call), "it counts as more than a day has");
    }

    #[test]
    fn a_stopped_country_waits_for_its_probe() {
        let (policy, spent) = (policy(), Spent { total: 20, sent: 20, debt: 200, last: at(0), ..Spent::default() });
        let closed = |is_probe, now| policy.closed_until(policy.of_country(Lane::Open), spent, FREE, is_probe, at(now));
        assert_eq!([closed(true, 7_199), closed(true, 7_200)], [Some(at(7_200)), None]);
        assert_eq!(closed(false, 7_200), Some(at(7_230)));
    }

    #[test]
    fn a_range_is_stopped_before_its_country() {
        let policy = policy();
        let spent = Spent { total: 200, sent: 100, debt: 50, last: at(0), ..Spent::default() };
        assert!(policy.closed_until(policy.of_range(Lane::Known), spent, FREE, true, at(0)).is_some());
        let spent = Spent { debt: 49, ..spent };
        assert_eq!(policy.closed_until(policy.of_range(Lane::Known), spent, FREE, true, at(0)), None);
        let target = policy.target(&"+447400123456".parse().unwrap()).unwrap();
        assert_eq!(target.range, "447400");
    }
}
