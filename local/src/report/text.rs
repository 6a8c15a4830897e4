//! The report on a terminal.

use shared::history::{ActiveUsers, ChannelRow, CodesPart, Cost, Report, SourceRow};

/// The report as text.
pub fn text(report: &Report) -> String {
    let ActiveUsers { day, week, month } = report.active_users;
    let mut text = format!("Report from {} to {} (UTC days, the last one is not over)\n", report.from, report.to);
    let active = [("today", day), ("last 7 days", week), ("last 30 days", month)];
    part(&mut text, "Active users", &[], active.map(|(name, users)| vec![name.to_owned(), users.to_string()]));

    let methods = report.methods.iter().map(|row| (&row.method, row.sign_ups, row.sign_ins));
    let row = |(name, sign_ups, sign_ins): (&String, u64, u64)| {
        vec![name.clone(), sign_ups.to_string(), sign_ins.to_string()]
    };
    let total = "total".to_owned();
    let methods = methods.chain([(&total, report.sign_ups, report.sign_ins)]).map(row);
    part(&mut text, "Methods", &["sign-ups", "sign-ins"], methods);

    let busy = report.days.iter().filter(|day| day.sign_ups + day.sign_ins > 0);
    let busy = busy.map(|day| row((&day.date, day.sign_ups, day.sign_ins)));
    part(&mut text, "Days with sign-ins", &["sign-ups", "sign-ins"], busy);

    let top = report.top_sources.iter().map(|row| vec![row.name.clone(), row.sign_ups.to_string()]);
    part(&mut text, "Top sources", &["sign-ups"], top);
    let sources = report.sources.iter().map(|source| vec![name(source), source.sign_ups.to_string()]);
    part(&mut text, "Sources", &["sign-ups"], sources);
    let week = report.last_week.iter().map(|row| {
        let source = SourceRow { url: None, ..row.source.clone() };
        vec![format!("{}  {}", row.date, name(&source)), source.sign_ups.to_string()]
    });
    part(&mut text, "Sources of the last 7 days", &["sign-ups"], week);

    match &report.codes {
        None => text += "\nCodes, cost\n  unknown: the functions wrote no metrics in these days\n",
        Some(codes) => add_codes(&mut text, codes),
    }
    let dollars = |dollars: f64| format!("${dollars:.6}");
    if let Some(Cost { mails, texts, requests, per_sign_in }) = report.cost {
        let each = per_sign_in.map_or_else(|| "no sign-ins".to_owned(), dollars);
        let costs = [("emails", dollars(mails)), ("text messages", dollars(texts)), ("requests", dollars(requests))];
        let costs = costs.into_iter().chain([("per sign-in", each)]);
        part(&mut text, "Cost by docs/prices.toml", &[], costs.map(|(name, dollars)| vec![name.to_owned(), dollars]));
    }
    text
}

fn add_codes(text: &mut String, codes: &CodesPart) {
    let CodesPart { requests, rate_limited, verify_requests, channels } = codes;
    let counts = [
        ("requests for a code", requests),
        ("over a rate limit", rate_limited),
        ("requests to verify", verify_requests),
    ];
    part(text, "Codes", &[], counts.map(|(name, count)| vec![name.to_owned(), count.to_string()]));
    let columns = ["sent", "refused", "unknown", "used", "success"];
    part(text, "Codes by channel", &columns, channels.iter().map(channel));
}

fn name(source: &SourceRow) -> String {
    let SourceRow { name, category, url, .. } = source;
    let about = [category, url].into_iter().flatten().filter(|word| *word != name);
    let about: Vec<&str> = about.map(String::as_str).collect();
    if about.is_empty() { name.clone() } else { format!("{name} ({})", about.join(", ")) }
}

fn channel(row: &ChannelRow) -> Vec<String> {
    let counts = [row.codes.sent, row.codes.refused, row.codes.unknown, row.codes.used].map(|count| count.to_string());
    let success = row.success_rate.map_or_else(|| "-".to_owned(), |rate| format!("{:.0} %", rate * 100.0));
    [row.channel.name().to_owned()].into_iter().chain(counts).chain([success]).collect()
}

/// A table under its title. The first column holds names, the others figures.
fn part(text: &mut String, title: &str, columns: &[&str], rows: impl IntoIterator<Item = Vec<String>>) {
    *text += &format!("\n{title}\n");
    let mut rows: Vec<Vec<String>> = rows.into_iter().collect();
    if rows.is_empty() {
        *text += "  none\n";
        return;
    }
    if !columns.is_empty() {
        rows.insert(0, [""].iter().chain(columns).map(|head| (*head).to_owned()).collect());
    }
    let width = |at: usize| rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.chars().count()).max();
    for row in &rows {
        let mut line = String::new();
        for (at, cell) in row.iter().enumerate() {
            let width = width(at).unwrap_or_default();
            line += &if at == 0 { format!("  {cell:<width$}") } else { format!("  {cell:>width$}") };
        }
        *text += &format!("{}\n", line.trim_end());
    }
}
