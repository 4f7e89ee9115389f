//! What a function says of the body that it reads.

use std::fmt;
use std::marker::PhantomData;

use serde_json::Value;

/// What a function says of the body that it reads.
#[derive(Clone, Copy)]
pub struct BodySpec {
    /// Its media type; `*/*` for any.
    pub media_type: &'static str,
    /// Whether the function cannot do without.
    pub required: bool,
    /// The JSON schema of what is in it, if it is known.
    pub schema: fn() -> Option<Value>,
}

impl fmt::Debug for BodySpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BodySpec")
            .field("media_type", &self.media_type)
            .field("required", &self.required)
            .finish_non_exhaustive()
    }
}

/// Finds the schema of a type that has one.
#[derive(Debug)]
pub struct BodyProbe<T>(PhantomData<T>);

/// The answer of [`BodyProbe`] for every type without a schema.
pub trait NoSchema {
    /// None.
    #[must_use]
    fn schema() -> Option<Value> {
        None
    }
}

impl<T> NoSchema for BodyProbe<T> {}

#[cfg(feature = "openapi")]
impl<T: schemars::JsonSchema> BodyProbe<T> {
    /// The schema; types within types that are named stand under `components`.
    #[must_use]
    pub fn schema() -> Option<Value> {
        let settings = schemars::generate::SchemaSettings::draft2020_12().with(|settings| {
            settings.meta_schema = None;
            settings.inline_subschemas = true;
            settings.definitions_path = "/components/schemas".into();
        });
        Some(
            settings
                .into_generator()
                .into_root_schema_for::<T>()
                .to_value(),
        )
    }
}
