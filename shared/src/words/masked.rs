//! A `Debug` implementation for values to keep out of logs.

/// Implements `Debug` with the type's name only.
///
/// Use it if `secrecy` does not fit: for personal data, digests, refresh tokens, and keys of a fixed length, which
/// `secrecy` cannot clone. `SecretString` already hides its text and erases it on drop.
macro_rules! masked {
    ($type:ident) => {
        impl std::fmt::Debug for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($type), "(…)"))
            }
        }
    };
}
pub(crate) use masked;
