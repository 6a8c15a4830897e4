//! What happened: events and counts, each derived from the change of one item. These are pure rules.
//!
//! No rule here may rely on the order of two changes: the items of one person lie in different shards of the stream.

mod change;
mod codes;
mod counts;
mod event;
mod report;
mod sites;
mod source;
mod wanted;

pub use self::change::{Change, Changed, Sequence};
pub use self::codes::{ChannelCodes, Codes, Metric};
pub use self::counts::{Counts, Day, NO_SOURCE, OTHER_SOURCES};
pub use self::event::{Event, EventId, What};
pub use self::report::{
    ActiveUsers, ChannelRow, CodesPart, Cost, DayRow, DaySourceRow, MethodRow, NameRow, Prices, Report, SourceRow,
};
pub use self::source::Source;
pub use self::wanted::{Audience, Events, Wanted};
