//! A message as its provider knows it.

/// The provider's id of a message, beside the name of its send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentMessage {
    name: String,
    id: String,
}

impl SentMessage {
    /// Reads the name of the send and the provider's id, as [`SentMessage::text`] writes them.
    pub(crate) fn read(text: &str) -> Option<SentMessage> {
        let (name, id) = text.split_once(' ')?;
        Some(SentMessage { name: name.to_owned(), id: id.to_owned() })
    }

    /// Both in one text, for the table.
    pub(crate) fn text(name: &str, id: &str) -> String {
        format!("{name} {id}")
    }

    /// The provider's id, if the message is of the send `name`.
    pub(crate) fn id_of(&self, name: &str) -> Option<&str> {
        (self.name == name).then_some(self.id.as_str())
    }
}
