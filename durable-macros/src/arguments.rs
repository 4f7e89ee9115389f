//! Arguments of attributes as they are written: names that exist, each once, values of the right
//! form. What the values mean is checked in the `model.rs` of each attribute.

use darling::FromMeta;
use darling::ast::NestedMeta;
use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Expr, ExprArray, Lit, LitInt, LitStr, Meta, Path};

use crate::diagnostics::{Diagnostics, did_you_mean, one_of};

/// The arguments of one attribute; [`arguments!`] implements it.
pub(crate) trait Arguments: FromMeta {
    /// The attribute's own name.
    const ATTRIBUTE: &'static str;
    /// Every argument's name.
    const NAMES: &'static [&'static str];
}

/// Declares the arguments of an attribute, all optional, and adds `crate`, which every one takes.
macro_rules! arguments {
    ($(#[$meta:meta])* struct $name:ident for $attribute:literal {
        $($(#[$about:meta])* $field:ident: $value:ty,)*
    }) => {
        $(#[$meta])*
        #[derive(Debug, darling::FromMeta)]
        pub(crate) struct $name {
            $($(#[$about])* pub(crate) $field: Option<$value>,)*
            /// Where generated code finds the runtime.
            #[darling(rename = "crate")]
            pub(crate) root: Option<$crate::arguments::Root>,
        }

        impl $crate::arguments::Arguments for $name {
            const ATTRIBUTE: &'static str = $attribute;
            const NAMES: &'static [&'static str] = &[$(stringify!($field),)* "crate"];
        }
    };
}

/// Reads what stands between an attribute's parentheses. What is wrong is reported and left out.
pub(crate) fn parse<A: Arguments>(tokens: TokenStream, diagnostics: &mut Diagnostics) -> A {
    let mut items = NestedMeta::parse_meta_list(tokens).unwrap_or_else(|error| {
        diagnostics.push(error);
        Vec::new()
    });
    let mut seen = Vec::new();
    items.retain(|item| match check::<A>(item, &mut seen) {
        Ok(()) => true,
        Err(error) => {
            diagnostics.push(error);
            false
        }
    });
    #[expect(
        clippy::expect_used,
        reason = "each item was read alone, and every field is optional"
    )]
    A::from_list(&items).expect("arguments that were valid one by one are valid together")
}

/// One argument: known, not yet given, and of a value that can be read.
fn check<A: Arguments>(item: &NestedMeta, seen: &mut Vec<String>) -> syn::Result<()> {
    let path = match item {
        NestedMeta::Meta(meta) => meta.path(),
        NestedMeta::NameValueInvalidExpr(meta) => &meta.path,
        NestedMeta::Lit(literal) => {
            let message = format!(
                "an argument of `{}` must be written `name = value`, with a name of {}",
                A::ATTRIBUTE,
                one_of(A::NAMES),
            );
            return Err(syn::Error::new_spanned(literal, message));
        }
    };
    let name = name(path);
    if !A::NAMES.contains(&name.as_str()) {
        let message = format!(
            "unknown argument `{name}`: `{}` takes {}{}",
            A::ATTRIBUTE,
            one_of(A::NAMES),
            did_you_mean(&name, A::NAMES),
        );
        return Err(syn::Error::new_spanned(path, message));
    }
    if seen.contains(&name) {
        return Err(syn::Error::new_spanned(
            path,
            format!("`{name}` is given twice"),
        ));
    }
    A::from_list(std::slice::from_ref(item))?;
    seen.push(name);
    Ok(())
}

fn name(path: &Path) -> String {
    let segments: Vec<_> = path
        .segments
        .iter()
        .map(|s| s.ident.unraw().to_string())
        .collect();
    segments.join("::")
}

/// The value of `name = value`; `example` is what the message shows when there is none.
fn value<'a>(meta: &'a Meta, example: &str) -> darling::Result<&'a Expr> {
    match meta {
        Meta::NameValue(pair) => Ok(peel(&pair.value)),
        Meta::Path(_) | Meta::List(_) => Err(wrong(meta.path(), meta, example)),
    }
}

/// The expression without the invisible groups that `macro_rules!` puts around its fragments.
fn peel(mut expr: &Expr) -> &Expr {
    while let Expr::Group(group) = expr {
        expr = &group.expr;
    }
    expr
}

fn literal(expr: &Expr) -> Option<&Lit> {
    match expr {
        Expr::Lit(literal) => Some(&literal.lit),
        _ => None,
    }
}

fn wrong(path: &Path, at: impl ToTokens, example: &str) -> darling::Error {
    let name = name(path);
    syn::Error::new_spanned(at, format!("`{name}` must be written `{name} = {example}`")).into()
}

/// A string.
#[derive(Debug, Clone)]
pub(crate) struct Text(pub(crate) LitStr);

impl Text {
    pub(crate) fn value(&self) -> String {
        self.0.value()
    }
}

impl FromMeta for Text {
    fn from_meta(meta: &Meta) -> darling::Result<Self> {
        let expr = value(meta, "\"..\"")?;
        match literal(expr) {
            Some(Lit::Str(text)) => Ok(Self(text.clone())),
            _ => Err(wrong(meta.path(), expr, "\"..\"")),
        }
    }
}

/// `name`, `name = true` or `name = false`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Flag(pub(crate) bool);

impl FromMeta for Flag {
    fn from_meta(meta: &Meta) -> darling::Result<Self> {
        const EXAMPLE: &str = "true";
        if matches!(meta, Meta::Path(_)) {
            return Ok(Self(true));
        }
        let expr = value(meta, EXAMPLE)?;
        match literal(expr) {
            Some(Lit::Bool(flag)) => Ok(Self(flag.value)),
            _ => Err(wrong(meta.path(), expr, EXAMPLE)),
        }
    }
}

/// A whole number.
#[derive(Debug, Clone)]
pub(crate) struct Number(pub(crate) LitInt);

impl FromMeta for Number {
    fn from_meta(meta: &Meta) -> darling::Result<Self> {
        let expr = value(meta, "4")?;
        match literal(expr) {
            Some(Lit::Int(number)) => Ok(Self(number.clone())),
            _ => Err(wrong(meta.path(), expr, "4")),
        }
    }
}

/// Strings in brackets.
#[derive(Debug, Clone)]
pub(crate) struct Texts {
    pub(crate) items: Vec<LitStr>,
    pub(crate) written: ExprArray,
    pub(crate) path: Path,
}

impl FromMeta for Texts {
    fn from_meta(meta: &Meta) -> darling::Result<Self> {
        const EXAMPLE: &str = "[\"..\", \"..\"]";
        let Expr::Array(written) = value(meta, EXAMPLE)? else {
            return Err(wrong(meta.path(), value(meta, EXAMPLE)?, EXAMPLE));
        };
        let mut items = Vec::new();
        let mut errors = darling::Error::accumulator();
        for item in &written.elems {
            match literal(peel(item)) {
                Some(Lit::Str(text)) => items.push(text.clone()),
                _ => errors.push(wrong(meta.path(), item, EXAMPLE)),
            }
        }
        errors.finish_with(Self {
            items,
            written: written.clone(),
            path: meta.path().clone(),
        })
    }
}

/// The path given as `crate = path`.
#[derive(Debug, Clone)]
pub(crate) struct Root(pub(crate) Path);

impl FromMeta for Root {
    fn from_meta(meta: &Meta) -> darling::Result<Self> {
        const EXAMPLE: &str = "::durable_functions";
        match value(meta, EXAMPLE)? {
            Expr::Path(path) if path.qself.is_none() => Ok(Self(path.path.clone())),
            other => Err(wrong(meta.path(), other, EXAMPLE)),
        }
    }
}
