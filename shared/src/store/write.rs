//! Writes: the changes, and the conditions they depend on.

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::builders::PutBuilder;
use aws_sdk_dynamodb::types::{
    Put, ReturnValue, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update as TransactUpdate,
};

use super::expression::{Condition, Expression, IS_NEW, Operand, Path, Placeholders, Value};
use super::send::{self, Written};
use super::table::{Item, PK, SK, Table};
use crate::words::{Error, ItemKey, Result};

/// An update without a condition. It can only become an [`Update`], so every update has a condition.
pub(super) struct Unconditional<'a> {
    table: &'a Table,
    pk: ItemKey,
    sk: Option<String>,
}

/// A conditional update of one item, alone or in a transaction.
pub(super) struct Update<'a> {
    table: &'a Table,
    pk: ItemKey,
    sk: Option<String>,
    condition: Condition,
    set: Vec<Expression>,
    remove: Vec<Expression>,
    add: Vec<Expression>,
    returns: ReturnValue,
}

struct Expressions {
    update: String,
    condition: Option<String>,
    placeholders: Placeholders,
}

impl Table {
    pub(super) fn update(&self, pk: ItemKey) -> Unconditional<'_> {
        Unconditional { table: self, pk, sk: None }
    }

    /// An update in a table with sort keys.
    pub(super) fn update_at(&self, pk: ItemKey, sk: impl Into<String>) -> Unconditional<'_> {
        Unconditional { table: self, pk, sk: Some(sk.into()) }
    }

    /// Deletes the item at `pk` if it meets the condition. An item that is missing, or fails it, is no error.
    pub(super) async fn delete(&self, pk: &ItemKey, condition: &Condition) -> Result<()> {
        let mut placeholders = Placeholders::default();
        let condition = placeholders.write(&condition.0);
        let delete = self.client.delete_item().table_name(&self.name).key(PK, pk.as_str().attribute_value());
        let delete = delete.condition_expression(condition).set_expression_attribute_names(Some(placeholders.names));
        send::delete(delete.set_expression_attribute_values(not_empty(placeholders.values))).await
    }

    /// Deletes an item of a table with sort keys.
    pub(super) async fn delete_at(&self, pk: &ItemKey, sk: &str) -> Result<()> {
        let delete = self.client.delete_item().table_name(&self.name).key(PK, pk.as_str().attribute_value());
        send::delete(delete.key(SK, sk.attribute_value())).await
    }

    /// Puts an item under a new key.
    pub(super) async fn put_new(&self, item: Item) -> Result<()> {
        let put = self.client.put_item().table_name(&self.name).set_item(Some(item)).condition_expression(IS_NEW);
        send::put_new(put).await
    }

    /// The same in a transaction. A refusal returns the existing item.
    pub(super) fn put_new_in_transaction(&self, item: Item) -> Result<TransactWriteItem> {
        self.put_in_transaction(Put::builder().set_item(Some(item)).condition_expression(IS_NEW))
    }

    /// Replaces an item in a transaction. A refusal returns the existing item.
    pub(super) fn replace_in_transaction(&self, item: Item, condition: &Condition) -> Result<TransactWriteItem> {
        let mut placeholders = Placeholders::default();
        let condition = placeholders.write(&condition.0);
        let Placeholders { names, values } = placeholders;
        let put = Put::builder().set_item(Some(item)).condition_expression(condition);
        self.put_in_transaction(
            put.set_expression_attribute_names(Some(names)).set_expression_attribute_values(not_empty(values)),
        )
    }

    fn put_in_transaction(&self, put: PutBuilder) -> Result<TransactWriteItem> {
        let returns = ReturnValuesOnConditionCheckFailure::AllOld;
        let put = put.table_name(&self.name).return_values_on_condition_check_failure(returns).build();
        Ok(TransactWriteItem::builder().put(put.map_err(Error::internal)?).build())
    }
}

impl<'a> Unconditional<'a> {
    /// For items that may be missing: counts in a transaction, where another write has the condition, and notes that may be repeated.
    pub(super) fn unconditionally(self) -> Update<'a> {
        self.when(Condition(Expression::default()))
    }

    pub(super) fn when(self, condition: Condition) -> Update<'a> {
        Update {
            table: self.table,
            pk: self.pk,
            sk: self.sk,
            condition,
            set: Vec::new(),
            remove: Vec::new(),
            add: Vec::new(),
            returns: ReturnValue::AllNew,
        }
    }
}

impl Update<'_> {
    /// Adds a condition.
    pub(super) fn when(self, condition: Condition) -> Self {
        Update { condition: self.condition.and(condition), ..self }
    }

    pub(super) fn set(self, path: Path<'_>, value: impl Operand) -> Self {
        self.set_to(path, value.expression(path))
    }

    /// Sets the value only if it is missing.
    pub(super) fn set_if_missing(self, path: Path<'_>, value: impl Operand) -> Self {
        self.set_to(path, path.or_if_missing(value))
    }

    /// Adds to an existing number. DynamoDB fails if it is missing.
    pub(super) fn raise(self, path: Path<'_>, by: u32) -> Self {
        self.set_to(path, path.expression(path).then(" + ", by.expression(path)))
    }

    /// Sets the sum of `base` and the number at `added`, or of `base` and `usual` if that one is missing.
    pub(super) fn set_sum(self, path: Path<'_>, base: impl Operand, added: Path<'_>, usual: impl Operand) -> Self {
        self.set_to(path, base.expression(path).then(" + ", added.or_if_missing(usual)))
    }

    pub(super) fn lower(self, path: Path<'_>, by: u32) -> Self {
        self.set_to(path, path.expression(path).then(" - ", by.expression(path)))
    }

    /// Adds to an attribute that may be missing. DynamoDB allows this outside maps only.
    pub(super) fn add(mut self, path: Path<'_>, value: impl Operand) -> Self {
        self.add.push(path.expression(path).then(" ", value.expression(path)));
        self
    }

    pub(super) fn remove(mut self, path: Path<'_>) -> Self {
        self.remove.push(path.expression(path));
        self
    }

    /// Makes the update return the old item instead of the new one.
    pub(super) fn returning_before(self) -> Self {
        Update { returns: ReturnValue::AllOld, ..self }
    }

    pub(super) async fn send(self) -> Result<Written> {
        send::update(self.alone()).await
    }

    /// Sends the update once, without the SDK's retries. A refusal counts as success.
    pub(super) async fn send_once(self) -> Result<()> {
        send::update_once(self.alone()).await
    }

    pub(super) fn in_transaction(self) -> Result<TransactWriteItem> {
        let Expressions { update, condition, placeholders } = self.expressions();
        let update = TransactUpdate::builder()
            .table_name(&self.table.name)
            .set_key(Some(self.key()))
            .update_expression(update)
            .set_condition_expression(condition)
            .set_expression_attribute_names(Some(placeholders.names))
            .set_expression_attribute_values(not_empty(placeholders.values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()
            .map_err(Error::internal)?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    fn alone(self) -> UpdateItemFluentBuilder {
        let Expressions { update, condition, placeholders } = self.expressions();
        self.table
            .client
            .update_item()
            .table_name(&self.table.name)
            .set_key(Some(self.key()))
            .update_expression(update)
            .set_condition_expression(condition)
            .set_expression_attribute_names(Some(placeholders.names))
            .set_expression_attribute_values(not_empty(placeholders.values))
            .return_values(self.returns)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
    }

    fn set_to(mut self, path: Path<'_>, value: Expression) -> Self {
        self.set.push(path.expression(path).then(" = ", value));
        self
    }

    fn expressions(&self) -> Expressions {
        let mut placeholders = Placeholders::default();
        let mut clauses = Vec::new();
        for (word, actions) in [("SET", &self.set), ("REMOVE", &self.remove), ("ADD", &self.add)] {
            if !actions.is_empty() {
                let actions: Vec<_> = actions.iter().map(|action| placeholders.write(action)).collect();
                clauses.push(format!("{word} {}", actions.join(", ")));
            }
        }
        let condition = Some(placeholders.write(&self.condition.0)).filter(|condition| !condition.is_empty());
        Expressions { update: clauses.join(" "), condition, placeholders }
    }

    fn key(&self) -> Item {
        let sort = self.sk.as_deref().map(|sk| (SK.to_owned(), sk.attribute_value()));
        [(PK.to_owned(), self.pk.as_str().attribute_value())].into_iter().chain(sort).collect()
    }
}

/// DynamoDB rejects an empty list of values.
fn not_empty(values: Item) -> Option<Item> {
    (!values.is_empty()).then_some(values)
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::types::AttributeValue;

    use super::super::expression::any;
    use super::super::row::attributes;
    use super::*;

    attributes! {
        /// A reserved word in DynamoDB.
        SET = "set";
        /// A count.
        COUNT = "n";
        /// A map of entries.
        ENTRIES = "m";
        /// A field of an entry.
        ENDS = "e";
    }

    fn key() -> ItemKey {
        ItemKey::from_table("X#1".to_owned())
    }

    fn written(update: &Update<'_>) -> (String, String) {
        let Expressions { update, condition, .. } = update.expressions();
        (update, condition.unwrap_or_default())
    }

    fn condition(condition: Condition) -> String {
        written(&Table::without_calls().update(key()).when(condition)).1
    }

    fn number(digits: &str) -> AttributeValue {
        AttributeValue::N(digits.to_owned())
    }

    /// Covers each kind of change, each kind of value, and names that need placeholders.
    #[test]
    fn an_update_writes_its_clauses_and_their_placeholders() {
        let table = Table::without_calls();
        let entry = ENTRIES.entry("challenge", "a.b-c");
        let update = table
            .update(key())
            .when(entry.field(ENDS).above(("now", 5)))
            .when(COUNT.at_least(1))
            .set(SET, "text")
            .set(entry.field(ENDS), ("now", 5))
            .set_if_missing(COUNT, 0)
            .remove(ENTRIES.entry("expired", "d"))
            .add(COUNT.with_suffix("GB"), -1);
        let Expressions { update, condition, placeholders } = update.expressions();
        assert_eq!(
            update,
            "SET #SET = :set, #ENTRIES.#challenge.#ENDS = :now, #COUNT = if_not_exists(#COUNT, :0) \
             REMOVE #ENTRIES.#expired ADD #COUNT_2 :minus1"
        );
        assert_eq!(condition.as_deref(), Some("#ENTRIES.#challenge.#ENDS > :now AND #COUNT >= :1"));
        let names = [
            ("#SET", "set"),
            ("#ENTRIES", "m"),
            ("#challenge", "a.b-c"),
            ("#ENDS", "e"),
            ("#COUNT", "n"),
            ("#expired", "d"),
            ("#COUNT_2", "nGB"),
        ];
        assert_eq!(placeholders.names, names.map(|(word, name)| (word.to_owned(), name.to_owned())).into());
        let values = [
            (":set", AttributeValue::S("text".to_owned())),
            (":now", number("5")),
            (":0", number("0")),
            (":minus1", number("-1")),
            (":1", number("1")),
        ];
        assert_eq!(placeholders.values, values.map(|(word, value)| (word.to_owned(), value)).into());
    }

    #[test]
    fn counts_change_relative_to_their_old_value() {
        let table = Table::without_calls();
        let update = table.update(key()).when(COUNT.exists()).raise(COUNT, 1).lower(ENDS, 2);
        assert_eq!(written(&update).0, "SET #COUNT = #COUNT + :1, #ENDS = #ENDS - :2");
    }

    #[test]
    fn conditions_name_their_attributes() {
        for (written, is_written) in [
            (COUNT.is(ENDS), "#COUNT = #ENDS"),
            (COUNT.below(1), "#COUNT < :1"),
            (COUNT.at_most(1), "#COUNT <= :1"),
            (COUNT.above(1), "#COUNT > :1"),
            (COUNT.at_least(1), "#COUNT >= :1"),
            (COUNT.exists(), "attribute_exists(#COUNT)"),
            (COUNT.is_missing(), "attribute_not_exists(#COUNT)"),
            (ENTRIES.has_fewer_than(("room", 2_usize)), "size(#ENTRIES) < :room"),
            (
                any([COUNT.is_missing(), COUNT.below(1)]).and(SET.exists()),
                "(attribute_not_exists(#COUNT) OR #COUNT < :1) AND attribute_exists(#SET)",
            ),
        ] {
            assert_eq!(condition(written), is_written);
        }
    }

    /// Each placeholder stands for one value, whatever words the caller uses.
    #[test]
    fn a_placeholder_used_twice_is_numbered() {
        let table = Table::without_calls();
        let update = table.update(key()).when(COUNT.is(("limit", 1))).when(ENDS.is(("limit", 2)));
        let update =
            update.when(SET.is(("limit", 1))).remove(ENTRIES.entry("old", "a")).remove(ENTRIES.entry("old", "b"));
        let Expressions { update, condition, placeholders } = update.expressions();
        assert_eq!(condition.as_deref(), Some("#COUNT = :limit AND #ENDS = :limit_2 AND #SET = :limit"));
        assert_eq!(update, "REMOVE #ENTRIES.#old, #ENTRIES.#old_2");
        assert_eq!(placeholders.values[":limit_2"], number("2"));
        assert_eq!([&placeholders.names["#old"], &placeholders.names["#old_2"]], ["a", "b"]);
    }

    #[test]
    fn both_forms_of_an_update_are_equal() {
        let table = Table::without_calls();
        let update = || table.update(key()).when(COUNT.above(("now", 5))).set(SET, "text");
        let alone = update().alone();
        let alone = alone.as_input();
        let item = update().in_transaction().unwrap();
        let in_transaction = item.update().unwrap();
        assert_eq!(alone.get_table_name().as_deref(), Some("table"));
        assert_eq!(in_transaction.table_name(), "table");
        assert_eq!(alone.get_key().as_ref(), Some(in_transaction.key()));
        assert_eq!(in_transaction.key()["pk"], AttributeValue::S("X#1".to_owned()));
        assert_eq!(alone.get_update_expression().as_deref(), Some(in_transaction.update_expression()));
        assert_eq!(alone.get_condition_expression().as_deref(), in_transaction.condition_expression());
        assert_eq!(alone.get_expression_attribute_names().as_ref(), in_transaction.expression_attribute_names());
        assert_eq!(alone.get_expression_attribute_values().as_ref(), in_transaction.expression_attribute_values());
    }

    #[test]
    fn a_count_in_a_transaction_may_be_without_a_condition() {
        let table = Table::without_calls();
        let item = table.update_at(key(), "all").unconditionally().add(COUNT, 1).in_transaction().unwrap();
        let update = item.update().unwrap();
        assert_eq!((update.condition_expression(), update.update_expression()), (None, "ADD #COUNT :1"));
        assert_eq!(update.key()["sk"], AttributeValue::S("all".to_owned()));
    }

    #[test]
    fn an_update_returns_the_new_or_the_old_item() {
        let table = Table::without_calls();
        let update = || table.update(key()).when(SET.exists()).remove(SET);
        for (update, returns) in [(update(), ReturnValue::AllNew), (update().returning_before(), ReturnValue::AllOld)] {
            let alone = update.alone();
            let alone = alone.as_input();
            assert_eq!(alone.get_return_values(), &Some(returns));
            let on_refusal = alone.get_return_values_on_condition_check_failure();
            assert_eq!(on_refusal, &Some(ReturnValuesOnConditionCheckFailure::AllOld));
            assert_eq!(alone.get_expression_attribute_values(), &None, "DynamoDB refuses an empty list");
        }
    }
}
