//! Items as rows: attribute names, and how serde reads and writes them.

use aws_sdk_dynamodb::types::AttributeValue;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};

use super::table::Item;
use crate::words::{Error, ItemKey, Result};

/// Constants for attributes: `WORD = "name";`, each with a doc comment about its content.
macro_rules! attributes {
    ($($(#[doc = $doc:literal])* $vis:vis $WORD:ident = $name:literal;)*) => {
        $(
            $(#[doc = $doc])*
            #[allow(dead_code, reason = "a row lists all attributes, also those that no expression names")]
            $vis const $WORD: $crate::store::expression::Path<'static> =
                $crate::store::expression::Path::attribute(stringify!($WORD), $name);
        )*
    };
}

/// A struct for serde and a constant for each attribute: `WORD = "name" => field: Type,`, each with a doc comment about its
/// content.
macro_rules! row {
    (
        $(#[$meta:meta])*
        $vis:vis struct $Row:ident {
            $(
                $(#[doc = $doc:literal])*
                $word_vis:vis $WORD:ident = $name:literal => $(#[serde($($serde:tt)*)])? $field:ident: $type:ty,
            )*
        }
    ) => {
        $crate::store::row::attributes! {
            $($(#[doc = $doc])* $word_vis $WORD = $name;)*
        }

        $(#[$meta])*
        $vis struct $Row {
            $(#[serde(rename = $name)] $(#[serde($($serde)*)])? $field: $type,)*
        }
    };
}

pub(super) use {attributes, row};

attributes! {
    /// From when DynamoDB may delete the item, in Unix seconds.
    pub(super) TTL = "ttl";
}

/// For `deserialize_with`: the key of an item.
pub(super) fn key<'de, D: Deserializer<'de>>(key: D) -> std::result::Result<ItemKey, D::Error> {
    String::deserialize(key).map(ItemKey::from_table)
}

pub(super) fn read<R: DeserializeOwned>(item: Item) -> Result<R> {
    serde_dynamo::from_item(item).map_err(Error::internal)
}

/// A single attribute's value.
pub(super) fn value<V: DeserializeOwned>(value: AttributeValue) -> Result<V> {
    serde_dynamo::from_attribute_value(value).map_err(Error::internal)
}

pub(super) fn write(row: impl Serialize) -> Result<Item> {
    serde_dynamo::to_item(row).map_err(Error::internal)
}
