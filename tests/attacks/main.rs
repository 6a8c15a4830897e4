//! Strangers attack for hours, through the front door: an address, a mailbox, a domain, the mails of a day and the SMS of a country.
//! The whole application runs in this process, and its clock is moved by hand.
//!
//! `cargo test --workspace --test attacks` runs each attack for an hour from 2 and from 10 networks. `-- --full` runs each for 24
//! hours from 2, 10 and 50 networks. A run fails if a promise of `docs/security.md` is broken. `docs/benchmarks.md` has the figures.

#![recursion_limit = "256"]

mod money;
mod owner;
mod report;
mod strategies;
mod world;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use clap::Parser;
use shared::words::Entropy;
use tokio::runtime::Builder;

use crate::owner::{Frontend, KINDS, Owner, Pending};
use crate::report::Run;
use crate::strategies::{ATTACKS, Attack, Kind, SHARED_NETWORK, Strangers, Target};
use crate::world::{HOUR, World};

/// Attacks on the promises of docs/security.md. Without options, a bounded part of them.
#[derive(Parser)]
#[command(name = "attacks")]
struct Options {
    /// Only attacks with one of these texts in their names.
    names: Vec<String>,
    /// Each attack for 24 hours, from 2, 10 and 50 networks.
    #[arg(long)]
    full: bool,
    /// The seed of the schedule. Codes and keys stay random.
    #[arg(long)]
    seed: Option<u64>,
    /// Numbers of hostile networks [default: 2,10; with --full 2,10,50].
    #[arg(long, value_delimiter = ',', value_parser = clap::value_parser!(u64).range(1..=250))]
    networks: Option<Vec<u64>>,
    /// Hours of each attack [default: 1; with --full 24].
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=168))]
    hours: Option<u64>,
    /// About so many requests of strangers in an attack, evenly spread, and at least one in two minutes [default: 100; with --full
    /// 5000].
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=200_000))]
    requests: Option<u64>,
    /// Sign-ins of owners in an attack [default: 8; with --full 48].
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=2_000))]
    owners: Option<u64>,
    /// Put the table into docs/benchmarks.md.
    #[arg(long)]
    write: bool,
    #[command(flatten)]
    harness: Harness,
}

/// Options of Rust's test harness, which `cargo test` and cargo-nextest pass to every target.
#[derive(clap::Args)]
struct Harness {
    #[arg(long, hide = true)]
    list: bool,
    #[arg(long, hide = true)]
    format: Option<String>,
    #[arg(long, hide = true)]
    exact: bool,
    #[arg(long, hide = true)]
    ignored: bool,
    #[arg(long, hide = true)]
    include_ignored: bool,
    #[arg(long, hide = true)]
    nocapture: bool,
    #[arg(long, hide = true)]
    show_output: bool,
    #[arg(short, long, hide = true)]
    quiet: bool,
    #[arg(long, hide = true)]
    skip: Vec<String>,
    #[arg(long, hide = true)]
    test_threads: Option<usize>,
}

/// The size of each run.
#[derive(Clone, Copy)]
pub struct Size {
    pub networks: u64,
    pub hours: u64,
    pub requests: u64,
    pub owners: u64,
}

impl Options {
    fn sizes(&self) -> Vec<Size> {
        let (networks, hours, requests, owners): (&[u64], _, _, _) =
            if self.full { (&[2, 10, 50], 24, 5_000, 48) } else { (&[2, 10], 1, 100, 8) };
        let networks = self.networks.clone().unwrap_or_else(|| networks.to_vec());
        let (hours, requests) = (self.hours.unwrap_or(hours), self.requests.unwrap_or(requests));
        let owners = self.owners.unwrap_or(owners);
        networks.into_iter().map(|networks| Size { networks, hours, requests, owners }).collect()
    }

    fn is_meant(&self, attack: Attack) -> bool {
        let is_in = |names: &[String]| {
            names.iter().any(|name| if self.harness.exact { attack.name == name } else { attack.name.contains(name) })
        };
        (self.names.is_empty() || is_in(&self.names)) && !is_in(&self.harness.skip)
    }
}

fn main() -> ExitCode {
    let options = Options::parse();
    let attacks: Vec<Attack> = ATTACKS.into_iter().filter(|attack| options.is_meant(*attack)).collect();
    if options.harness.list {
        if !options.harness.ignored {
            attacks.iter().for_each(|attack| println!("{}: test", attack.name));
        }
        return ExitCode::SUCCESS;
    }
    if options.harness.ignored {
        return ExitCode::SUCCESS;
    }
    let seed = options.seed.unwrap_or_else(|| u32::from_be_bytes(Entropy.bytes().unwrap()).into());
    eprintln!("attacks: --seed {seed}");

    let sizes = options.sizes();
    let plan: Vec<_> = attacks.iter().flat_map(|attack| sizes.iter().map(move |size| (*attack, *size))).collect();
    let runs = all(&plan, seed);
    report::show(&runs, seed, options.write)
}

/// The futures of a start are deep where nothing is optimised.
const STACK: usize = 8 * 1024 * 1024;

/// Runs the plan on all processors. The order of the results is the plan's.
fn all(plan: &[(Attack, Size)], seed: u64) -> Vec<Run> {
    let (next, runs) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    let work = || {
        loop {
            let at = next.fetch_add(1, Ordering::SeqCst);
            let Some((attack, size)) = plan.get(at) else { return };
            let started = Instant::now();
            // Time stands still in the runtime, so nothing waits for anything but the processor.
            let runtime = Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
            let run = runtime.block_on(run(*attack, *size, seed_of(*attack, *size, seed)));
            let took = started.elapsed().as_secs_f64();
            eprintln!("[{}/{}] {}, {} networks: {took:.1} s", at + 1, plan.len(), attack.name, size.networks);
            runs.lock().unwrap().insert(at, run);
        }
    };
    let threads = thread::available_parallelism().map_or(1, Into::into);
    thread::scope(|scope| {
        for _ in 0..threads {
            thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work).unwrap();
        }
    });
    runs.into_inner().unwrap().into_values().collect()
}

/// An attack has the same schedule whichever others run.
fn seed_of(attack: Attack, size: Size, seed: u64) -> u64 {
    let place = ATTACKS.iter().position(|of| of.name == attack.name).unwrap_or_default();
    seed ^ ((place as u64) << 40) ^ (size.networks << 32)
}

/// One attack.
async fn run(attack: Attack, size: Size, seed: u64) -> Run {
    let (start, end) = (attack.start, attack.start + size.hours * HOUR);
    let mut world = Box::pin(World::start(&[], start, seed)).await;
    let mut owner = Owner::default();
    let mut strangers = Strangers::new(attack, &address(attack.target, 0), (size.networks, end - start, size.requests));
    let mut next_owner = start + pause(&mut world, size);
    let mut pending: Option<(u64, Pending)> = None;
    let mut number = 0;
    loop {
        let owners_turn = pending.as_ref().map_or(next_owner, |(then, _)| *then);
        if owners_turn.min(strangers.next()) >= end {
            break;
        }
        if strangers.next() < owners_turn {
            world.move_to(strangers.next());
            strangers.act(&mut world).await;
            continue;
        }
        match pending.take() {
            None => {
                world.move_to(owners_turn - 1);
                strangers.before_owner(&mut world).await;
                world.move_to(owners_turn);
                number += 1;
                let whose = (address(attack.target, number), owners_network(attack.kind, number));
                let kinds: Vec<_> = KINDS
                    .into_iter()
                    // Anybody in a network can spend the attempts of its clients that send no challenge id.
                    .filter(|kind| attack.kind != Kind::Neighbour || kind.frontend != Frontend::Alias)
                    .collect();
                let kind = kinds[world.draw.below(kinds.len())];
                let begun = owner.begin(&mut world, whose, kind).await;
                strangers.after_owner(&mut world).await;
                pending = begun.map(|begun| (world.now + reading(&mut world, attack.target), begun));
            }
            Some((then, begun)) => {
                world.move_to(then);
                let again = owner.answer(&mut world, begun).await;
                pending = again.map(|begun| (world.now + reading(&mut world, attack.target), begun));
            }
        }
        if pending.is_none() {
            next_owner = world.now + pause(&mut world, size);
        }
    }
    // The owner has the code in their mailbox.
    if let Some((then, begun)) = pending {
        world.move_to(then);
        owner.answer(&mut world, begun).await;
    }
    Run::of(attack, size, world, owner)
}

/// Seconds until the owner types the code: at most as long as the answer promised (`expires_in`).
fn reading(world: &mut World, target: Target) -> u64 {
    let promised = if target == Target::Country { 300 } else { 360 };
    5 + world.draw.below(promised - 10) as u64
}

/// Seconds until the owner asks again. A sign-in itself takes three minutes on average.
fn pause(world: &mut World, size: Size) -> u64 {
    let mean = (size.hours * HOUR / size.owners).saturating_sub(180).max(30);
    2 + world.draw.below(2 * mean as usize) as u64
}

/// The owner's address. Attacks on many addresses have many owners.
fn address(target: Target, number: u64) -> String {
    match target {
        Target::Address => "ada@example.com".to_owned(),
        Target::Mailbox => "ada.lovelace@gmail.com".to_owned(),
        Target::Domain => format!("owner{}@corp.example", number % 20),
        Target::Day => format!("owner{}@example.com", number % 20),
        Target::Country => format!("+4475000000{:02}", number % 20),
    }
}

/// A network that nobody has used, IPv4 or IPv6.
fn owners_network(kind: Kind, number: u64) -> String {
    match number % 2 {
        _ if kind == Kind::Neighbour => SHARED_NETWORK.to_owned(),
        0 => format!("198.18.{}.{}", number / 250, number % 250 + 1),
        _ => format!("2001:db8:{:x}::1", number + 0x1000),
    }
}
