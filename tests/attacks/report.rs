//! The figures of all runs, and the promises that they have to keep.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::{fs, iter};

use tests::costs::Table;

use crate::owner::{Figures, Owner};
use crate::strategies::{Attack, Kind, Target};
use crate::world::{HOUR, Message, World, mailbox};
use crate::{Size, money};

/// Unanswered mails in any hour to one address, without those of known devices.
const MOST_TO_ADDRESS: usize = 20;
/// Unanswered mails in any hour to one mailbox over all its spellings.
const MOST_TO_MAILBOX: usize = 30;
/// Comparisons a day with six and with eight digits.
const MOST_COMPARED: [u64; 2] = [20, 200];
/// SMS to one country in a day (`SMS_DAILY_BUDGET_PER_COUNTRY`).
const MOST_SMS: usize = 100;

/// The figures of one attack.
pub struct Run {
    attack: Attack,
    size: Size,
    requests: u64,
    refused: u64,
    owners: Figures,
    to_address: usize,
    to_mailbox: usize,
    /// By the day to which a code is charged, and by the day of the guess.
    compared: [u64; 2],
    compared_on_a_date: u64,
    mails: usize,
    sms: usize,
    most_sms_on_a_date: usize,
    dollars: f64,
}

impl Run {
    pub fn of(attack: Attack, size: Size, world: World, owner: Owner) -> Run {
        let Owner { figures: owners, .. } = owner;
        let books = &world.books;
        let most = |days: &BTreeMap<u64, [u64; 2]>, at: usize| days.values().map(|day| day[at]).max().unwrap_or(0);
        let is_sms = |message: &&Message| message.is_sms;
        let mut by_date = BTreeMap::<u64, usize>::new();
        books.messages.iter().filter(is_sms).for_each(|message| *by_date.entry(message.at / 86_400).or_default() += 1);
        Run {
            attack,
            size,
            requests: books.requests,
            refused: books.refused,
            to_address: worst_hour(&books.messages, |message| message.to.to_ascii_lowercase()),
            to_mailbox: worst_hour(&books.messages, |message| mailbox(&message.to)),
            compared: [0, 1].map(|at| most(&books.compared, at)),
            compared_on_a_date: most(&books.compared_on, 0),
            mails: books.messages.iter().filter(|message| !message.is_sms).count(),
            sms: books.messages.iter().filter(is_sms).count(),
            most_sms_on_a_date: by_date.into_values().max().unwrap_or(0),
            dollars: money::dollars(&world, books.requests + owners.begun),
            owners,
        }
    }

    /// The promises that this run has broken.
    fn broken(&self) -> Vec<String> {
        let mut broken = Vec::new();
        let mut check = |is_kept: bool, what: String| broken.extend((!is_kept).then_some(what));
        let Figures { begun, with_first_code, turned_away, .. } = self.owners;
        // An attacker in the owner's network can use up its requests. Who gets a code there still signs in.
        let excused = if self.attack.kind == Kind::Neighbour { turned_away } else { 0 };
        if self.attack.target != Target::Country {
            let what = format!(
                "{with_first_code} of {begun} owners signed in with the first code, {turned_away} were refused"
            );
            check(with_first_code + excused == begun, what);
        }
        check(
            self.to_address <= MOST_TO_ADDRESS,
            format!("{} unanswered mails an hour to an address", self.to_address),
        );
        check(self.to_mailbox <= MOST_TO_MAILBOX, format!("{} unanswered mails an hour to a mailbox", self.to_mailbox));
        let is_kept = iter::zip(self.compared, MOST_COMPARED).all(|(compared, most)| compared <= most);
        check(is_kept, format!("{:?} comparisons a day with six and eight digits", self.compared));
        check(self.most_sms_on_a_date <= MOST_SMS, format!("{} SMS a day to a country", self.most_sms_on_a_date));
        broken
    }

    fn row(&self) -> Vec<String> {
        let owners = &self.owners;
        let of = |count: u64| format!("{count} of {}", owners.begun);
        vec![
            self.attack.name.to_owned(),
            self.size.networks.to_string(),
            self.requests.to_string(),
            self.refused.to_string(),
            of(owners.with_first_code),
            of(owners.with_newest),
            of(owners.with_newest_when_typed),
            owners.most_requests.to_string(),
            format!("{} s", owners.slowest),
            self.to_address.to_string(),
            self.to_mailbox.to_string(),
            format!("{}, {}", self.compared[0], self.compared[1]),
            self.compared_on_a_date.to_string(),
            self.mails.to_string(),
            self.sms.to_string(),
            format!("{:.2}", self.dollars),
        ]
    }
}

/// The most unanswered mails in any hour that go to the same place.
fn worst_hour(messages: &[Message], place: impl Fn(&Message) -> String) -> usize {
    let mut times = BTreeMap::<String, Vec<u64>>::new();
    for message in messages.iter().filter(|message| !message.is_sms && !message.is_answered && !message.is_known) {
        times.entry(place(message)).or_default().push(message.at);
    }
    let worst = |times: &Vec<u64>| {
        let within = |first: u64| times.iter().filter(|at| (first..first + HOUR).contains(*at)).count();
        times.iter().map(|first| within(*first)).max().unwrap_or(0)
    };
    times.values().map(worst).max().unwrap_or(0)
}

const COLUMNS: [&str; 16] = [
    "attack",
    "networks",
    "requests",
    "refused",
    "owners in with the first code",
    "with the newest mail",
    "still the newest when typed",
    "most requests of an owner",
    "slowest",
    "mails an hour to an address",
    "to a mailbox",
    "comparisons a day with 6, 8 digits",
    "with 6 on one date",
    "mails",
    "SMS",
    "dollars",
];

/// Prints the table and the broken promises.
pub fn show(runs: &[Run], seed: u64, is_kept: bool) -> ExitCode {
    let mut table = Table::new(&COLUMNS);
    runs.iter().for_each(|run| table.row(&run.row()));
    let hours = runs.first().map_or(0, |run| run.size.hours);
    let most = runs.first().map_or(0, |run| run.size.requests);
    let text = format!("Attacks of {hours} hours with about {most} requests each, seed {seed}:\n\n{}", table.text());
    println!("{text}");
    if is_kept {
        write(&text);
    }
    let broken: Vec<_> = runs.iter().flat_map(|run| run.broken().into_iter().map(move |what| (run, what))).collect();
    for (run, what) in &broken {
        println!("broken: {}, {} networks: {what}", run.attack.name, run.size.networks);
    }
    println!("{} attacks, {} broken promises", runs.len(), broken.len());
    if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Puts the table between its two marks in `docs/benchmarks.md`.
fn write(text: &str) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/benchmarks.md");
    let page = fs::read_to_string(path).unwrap();
    let (before, rest) = page.split_once("<!-- begin attacks -->\n").expect("the page has a place for attacks");
    let (_, after) = rest.split_once("<!-- end attacks -->").expect("the place for attacks ends");
    fs::write(path, format!("{before}<!-- begin attacks -->\n\n{text}\n<!-- end attacks -->{after}")).unwrap();
}
