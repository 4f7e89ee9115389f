//! What a function says of the body that it reads: for descriptions, not for the call.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Type;

use super::binding::Bound;
use super::model::Http;
use crate::paths::Paths;
use crate::signature::{is_named, type_argument};

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data";
const ANY: &str = "*/*";

/// The spec of the first parameter that reads the body.
pub(super) fn spec(http: &Http, paths: &Paths) -> Option<TokenStream> {
    let extracted = http.bindings.iter().filter_map(|(ty, bound)| match bound {
        Bound::Extractor(_) => Some(ty),
        Bound::Client { .. } | Bound::Placeholder(_) => None,
    });
    let (media_type, required, shape) = extracted.filter_map(|ty| read(ty, http)).next()?;
    let spec = paths.body_spec();
    let schema = match shape {
        None => quote! { || ::core::option::Option::None },
        Some(shape) => {
            let (probe, no_schema) = (paths.body_probe(), paths.no_schema());
            quote! {
                || {
                    #[allow(unused_imports)]
                    use #no_schema as _;
                    #probe::<#shape>::schema()
                }
            }
        }
    };
    Some(quote! {
        #spec { media_type: #media_type, required: #required, schema: #schema }
    })
}

/// Media type, whether there must be a body, and the type of what is in it.
fn read<'t>(ty: &'t Type, http: &Http) -> Option<(&'static str, bool, Option<&'t Type>)> {
    let inner = type_argument(ty).filter(|_| is_named(ty, "Option"));
    let (ty, required) = (inner.unwrap_or(ty), inner.is_none());
    let is = |name: &str| is_named(ty, name);
    if is("Json") {
        Some((JSON, required, type_argument(ty)))
    } else if is("Form") {
        Some((FORM, required, type_argument(ty)))
    } else if is("WebhookEvent") {
        let slack = http.webhook == Some("Slack");
        Some((if slack { FORM } else { JSON }, true, type_argument(ty)))
    } else if is("Multipart") || is("MultipartForm") {
        Some((MULTIPART, required, None))
    } else if is("Bytes") || is("String") || is("Payload") {
        Some((ANY, false, None))
    } else {
        None
    }
}
