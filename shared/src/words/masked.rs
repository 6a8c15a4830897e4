//! One mask for values that must not be printed.

/// `Debug` that says the type's name and hides the value.
///
/// It is for what `secrecy` does not fit: personal data, digests, refresh tokens, and keys of a fixed length, which `secrecy` cannot
/// clone. A `SecretString` hides itself and is erased when it is dropped.
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
