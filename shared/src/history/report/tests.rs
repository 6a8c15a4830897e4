use super::super::counts::Day;
use super::*;

const TODAY: u64 = 20_000;
const PRICES: Prices = Prices { mail: 0.1, sms: 0.5, sign_in: 0.01 };

fn map(counts: &[(&str, u32)]) -> BTreeMap<String, u32> {
    counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
}

fn codes_of(sums: &[f64]) -> Option<Codes> {
    Codes::of(&sums.iter().copied().map(Some).collect::<Vec<_>>())
}

fn report(days: &[(u64, Day)], last_active: &[(u64, i64)], codes: &[f64]) -> Report {
    let counts = Counts { days: days.iter().cloned().collect(), last_active: last_active.iter().copied().collect() };
    Report::new(Timestamp::from_unix(TODAY * 86_400 + 1), &counts, codes_of(codes).as_ref(), &PRICES)
}

#[test]
fn a_report_without_counts_is_empty() {
    let report = report(&[], &[], &[]);
    assert_eq!((report.days.len(), report.from.as_str(), report.to.as_str()), (30, "2024-09-05", "2024-10-04"));
    assert_eq!((report.sign_ups, report.codes, report.cost), (0, None, None));
    assert!(report.methods.is_empty() && report.sources.is_empty() && report.last_week.is_empty());
}

#[test]
fn the_first_and_the_last_day_count_and_no_others() {
    let day = |count| Day { sign_ups: map(&[("otp_email", count)]), ..Day::default() };
    let report = report(&[(TODAY - 30, day(1)), (TODAY - 29, day(2)), (TODAY, day(4)), (TODAY + 1, day(8))], &[], &[]);
    assert_eq!(report.sign_ups, 6);
    assert_eq!([&report.days[0], &report.days[29]].map(|day| day.sign_ups), [2, 4]);
    assert_eq!(report.methods[0].sign_ups, 6);
}

#[test]
fn active_users_are_those_of_1_7_and_30_days() {
    let on = [0, 1, 6, 7, 29, 30].map(|ago| (TODAY - ago, 1 << ago.min(10)));
    let ActiveUsers { day, week, month } = report(&[], &on, &[]).active_users;
    assert_eq!([day, week, month], [1, 1 + 2 + 64, 1 + 2 + 64 + 128 + 1024]);
}

#[test]
fn sources_have_names_and_their_best_come_first() {
    let old = Day { sources: map(&[("https://facebook.com", 3), ("none", 9)]), ..Day::default() };
    let new = Day {
        sources: map(&[
            ("https://example.com?utm_source=facebook&utm_campaign=spring", 2),
            ("https://example.org/pricing", 4),
            ("other", 7),
        ]),
        ..Day::default()
    };
    let report = report(&[(TODAY - 7, old), (TODAY - 6, new)], &[], &[]);
    let top: Vec<_> = report.top_sources.iter().map(|row| (row.name.as_str(), row.sign_ups)).collect();
    assert_eq!(top, [("Facebook", 5), ("Example", 4)]);
    let all: Vec<_> = report.sources.iter().map(|row| (row.name.as_str(), row.sign_ups)).collect();
    assert_eq!(all, [("No source", 9), ("Other sources", 7), ("Example", 4), ("Facebook", 3), ("Facebook", 2)]);
    let week: Vec<_> = report.last_week.iter().map(|row| (row.date.as_str(), row.source.category.as_deref())).collect();
    let on = |category| ("2024-09-28", category);
    assert_eq!(week, [on(None), on(Some("Pricing Page")), on(Some("Facebook - Spring Campaign"))]);
}

#[test]
fn messages_with_an_unknown_outcome_may_have_arrived_and_cost() {
    // Requests, limited, attempts; then sent, refused, unknown and used by email, by SMS, by calls and by WhatsApp.
    let others = [1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0];
    let codes = [&[9.0, 1.0, 5.0, 6.0, 1.0, 2.0, 4.0, 1.0, 0.0, 0.0, 1.0][..], &others].concat();
    let day = Day { sign_ins: map(&[("otp_email", 4), ("otp_sms", 1)]), ..Day::default() };
    let report = report(&[(TODAY, day)], &[], &codes);
    let CodesPart { requests, rate_limited, verify_requests, channels } = report.codes.unwrap();
    assert_eq!([requests, rate_limited, verify_requests], [9, 1, 5]);
    let rates: Vec<_> = channels.iter().map(|row| (row.channel, row.success_rate)).collect();
    // Nothing went by WhatsApp, so it has no row.
    let calls = (Channel::Voice, Some(1.0));
    assert_eq!(rates, [(Channel::Email, Some(0.5)), (Channel::Sms, Some(1.0)), calls]);
    // A call costs about ten texts.
    let per_sign_in = (8.0 * PRICES.mail + 11.0 * PRICES.sms) / 5.0 + PRICES.sign_in;
    assert!((report.cost.unwrap().per_sign_in.unwrap() - per_sign_in).abs() < 1e-9, "{:?}", report.cost);
}

#[test]
fn each_metric_has_one_sum() {
    let metrics = Codes::metrics();
    let sums: Vec<_> = (1..=metrics.len()).map(|sum| sum as f64).collect();
    let Codes { requests, rate_limited, verify_requests, channels } = codes_of(&sums).unwrap();
    assert_eq!(channels.iter().map(|(channel, _)| *channel).collect::<Vec<_>>(), Channel::ALL);
    let of_channels = channels.iter().flat_map(|(_, codes)| [codes.sent, codes.refused, codes.unknown, codes.used]);
    let read: Vec<_> = [requests, rate_limited, verify_requests].into_iter().chain(of_channels).collect();
    assert_eq!(read, (1..=metrics.len() as u64).collect::<Vec<_>>());
}
