//! Paths, values and conditions for DynamoDB expressions.
//!
//! A placeholder is named after the constant of its attribute (`#EPOCH`), after its value in small letters (`:now`), or after
//! the key of its map entry (`#challenge`). So a condition in a log, in ARCHITECTURE.md or in `tests/orders` leads back to the
//! line that wrote it. Expressions always use placeholders for names, because many attribute names are reserved words in DynamoDB
//! and map keys can contain any character.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::table::Item;
use crate::words::Timestamp;

/// The name of an attribute or entry, and the word for it in placeholders.
#[derive(Clone, Copy)]
struct Name<'a> {
    word: &'static str,
    name: &'a str,
    suffix: &'a str,
}

/// An attribute of an item, an entry of a map, or a field of such an entry.
#[derive(Clone, Copy)]
pub(super) struct Path<'a> {
    attribute: Name<'a>,
    entry: Option<Name<'a>>,
    field: Option<Name<'a>>,
}

impl<'a> Path<'a> {
    pub(super) const fn attribute(word: &'static str, name: &'a str) -> Path<'a> {
        Path { attribute: Name { word, name, suffix: "" }, entry: None, field: None }
    }

    /// The attribute named like this one, with `suffix` appended.
    pub(super) fn with_suffix(self, suffix: &'a str) -> Path<'a> {
        Path { attribute: Name { suffix, ..self.attribute }, ..self }
    }

    /// The entry `key` of this map. `word` names the placeholder.
    pub(super) fn entry(self, word: &'static str, key: &'a str) -> Path<'a> {
        Path { entry: Some(Name { word, name: key, suffix: "" }), ..self }
    }

    /// The field of this entry.
    pub(super) fn field(self, field: Path<'a>) -> Path<'a> {
        Path { field: Some(field.attribute), ..self }
    }

    /// The attribute's name in the table.
    pub(super) fn name(self) -> String {
        format!("{}{}", self.attribute.name, self.attribute.suffix)
    }

    pub(super) fn is(self, value: impl Operand) -> Condition {
        self.compared(" = ", value)
    }

    pub(super) fn below(self, value: impl Operand) -> Condition {
        self.compared(" < ", value)
    }

    pub(super) fn at_most(self, value: impl Operand) -> Condition {
        self.compared(" <= ", value)
    }

    pub(super) fn above(self, value: impl Operand) -> Condition {
        self.compared(" > ", value)
    }

    pub(super) fn at_least(self, value: impl Operand) -> Condition {
        self.compared(" >= ", value)
    }

    pub(super) fn exists(self) -> Condition {
        Condition(self.called("attribute_exists("))
    }

    pub(super) fn is_missing(self) -> Condition {
        Condition(self.called("attribute_not_exists("))
    }

    /// The map at this path has fewer entries than `value`.
    pub(super) fn has_fewer_than(self, value: impl Operand) -> Condition {
        Condition(self.called("size(").then(" < ", value.expression(self)))
    }

    /// The value at this path, or `value` if it is missing.
    pub(super) fn or_if_missing(self, value: impl Operand) -> Expression {
        self.expression(self).then(", ", value.expression(self)).within("if_not_exists(", ")")
    }

    fn called(self, function: &'static str) -> Expression {
        self.expression(self).within(function, ")")
    }

    fn compared(self, operator: &'static str, value: impl Operand) -> Condition {
        Condition(self.expression(self).then(operator, value.expression(self)))
    }

    fn names(self) -> impl DoubleEndedIterator<Item = Name<'a>> {
        [Some(self.attribute), self.entry, self.field].into_iter().flatten()
    }
}

/// The right side of a comparison or assignment: a value, a value with its own placeholder word, or another path.
pub(super) trait Operand {
    fn expression(self, path: Path<'_>) -> Expression;
}

impl Operand for Path<'_> {
    fn expression(self, _: Path<'_>) -> Expression {
        let mut pieces = Vec::new();
        for Name { word, name, suffix } in self.names() {
            pieces.extend([Piece::Text("."), Piece::Name { word, name: format!("{name}{suffix}") }]);
        }
        Expression(pieces.into_iter().skip(1).collect())
    }
}

/// A number's placeholder is named by its digits, any other value's by the path next to it.
impl<V: Value> Operand for V {
    fn expression(self, path: Path<'_>) -> Expression {
        let value = self.attribute_value();
        let word = match &value {
            AttributeValue::N(digits) => digits.replace('-', "minus"),
            _ => path.names().next_back().map_or("", |name| name.word).to_lowercase(),
        };
        Expression(vec![Piece::Value { word, value }])
    }
}

impl<V: Value> Operand for (&'static str, V) {
    fn expression(self, _: Path<'_>) -> Expression {
        Expression(vec![Piece::Value { word: self.0.to_owned(), value: self.1.attribute_value() }])
    }
}

/// A value that an attribute can store.
pub(super) trait Value {
    fn attribute_value(self) -> AttributeValue;
}

impl Value for AttributeValue {
    fn attribute_value(self) -> AttributeValue {
        self
    }
}

macro_rules! numbers {
    ($($number:ty)*) => {
        $(impl Value for $number {
            fn attribute_value(self) -> AttributeValue {
                AttributeValue::N(self.to_string())
            }
        })*
    };
}

numbers!(i32 i64 u32 u64 usize);

/// Stored as Unix seconds.
impl Value for Timestamp {
    fn attribute_value(self) -> AttributeValue {
        AttributeValue::N(self.unix().to_string())
    }
}

impl Value for &str {
    fn attribute_value(self) -> AttributeValue {
        AttributeValue::S(self.to_owned())
    }
}

impl<const N: usize> Value for &[u8; N] {
    fn attribute_value(self) -> AttributeValue {
        AttributeValue::B(self.to_vec().into())
    }
}

impl Value for Item {
    fn attribute_value(self) -> AttributeValue {
        AttributeValue::M(self)
    }
}

/// The condition of a write.
pub(super) struct Condition(pub(super) Expression);

/// Matches only a key without an item, for writes that put a whole item.
pub(super) const IS_NEW: &str = "attribute_not_exists(pk)";

pub(super) fn any(conditions: impl IntoIterator<Item = Condition>) -> Condition {
    Condition::joined(" OR ", conditions)
}

impl Condition {
    pub(super) fn and(self, other: Condition) -> Condition {
        Condition(self.0.then(" AND ", other.0))
    }

    fn joined(word: &'static str, conditions: impl IntoIterator<Item = Condition>) -> Condition {
        let conditions = conditions.into_iter().map(|condition| condition.0);
        let joined = conditions.reduce(|joined, condition| joined.then(word, condition)).unwrap_or_default();
        Condition(joined.within("(", ")"))
    }
}

/// A part of an expression, before its placeholders are chosen.
#[derive(Default)]
pub(super) struct Expression(Vec<Piece>);

enum Piece {
    Text(&'static str),
    Name { word: &'static str, name: String },
    Value { word: String, value: AttributeValue },
}

impl Expression {
    pub(super) fn then(mut self, text: &'static str, other: Expression) -> Expression {
        self.0.push(Piece::Text(text));
        self.0.extend(other.0);
        self
    }

    fn within(mut self, before: &'static str, after: &'static str) -> Expression {
        self.0.insert(0, Piece::Text(before));
        self.0.push(Piece::Text(after));
        self
    }
}

/// The names and values of one write.
#[derive(Default)]
pub(super) struct Placeholders {
    pub(super) names: HashMap<String, String>,
    pub(super) values: Item,
}

impl Placeholders {
    /// Formats the expression for DynamoDB and collects its placeholders.
    pub(super) fn write(&mut self, expression: &Expression) -> String {
        let mut written = String::new();
        for piece in &expression.0 {
            match piece {
                Piece::Text(text) => written.push_str(text),
                Piece::Name { word, name } => written.push_str(&place(&mut self.names, format!("#{word}"), name)),
                Piece::Value { word, value } => written.push_str(&place(&mut self.values, format!(":{word}"), value)),
            }
        }
        written
    }
}

/// Returns `wanted`, with a number appended if that placeholder already stands for something else.
fn place<T: Clone + PartialEq>(placed: &mut HashMap<String, T>, wanted: String, what: &T) -> String {
    let mut placeholder = wanted.clone();
    let mut number = 1;
    while placed.get(&placeholder).is_some_and(|other| other != what) {
        number += 1;
        placeholder = format!("{wanted}_{number}");
    }
    placed.insert(placeholder.clone(), what.clone());
    placeholder
}
