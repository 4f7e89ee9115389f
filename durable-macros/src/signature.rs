//! Functions as the attributes see them, and what all attributes ask of a signature.
//!
//! The body stays a group of tokens: nothing here needs it parsed, and what an editor has half
//! written still expands.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{
    Attribute, FnArg, GenericArgument, Ident, Pat, PathArguments, PathSegment, ReturnType, Safety,
    Signature, Type, Visibility,
};

use crate::arguments::Text;
use crate::diagnostics::Diagnostics;

/// Every attribute that registers a function.
pub(crate) const TRIGGERS: [&str; 5] = [
    "http_trigger",
    "orchestration_trigger",
    "activity_trigger",
    "timer_trigger",
    "entity_trigger",
];

/// What an attribute makes of a function, as messages name it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Role {
    /// The attribute.
    pub(crate) attribute: &'static str,
    /// `an activity`
    pub(crate) function: &'static str,
}

/// A function whose body is not looked into.
#[derive(Debug, Clone)]
pub(crate) struct Function {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) sig: Signature,
    pub(crate) body: Group,
}

impl Function {
    /// Reads the item below `attribute`, or says that it must be a function.
    pub(crate) fn read(
        item: TokenStream,
        attribute: &str,
        diagnostics: &mut Diagnostics,
    ) -> Option<Self> {
        let read = syn::parse2(item).map_err(|error: syn::Error| {
            syn::Error::new(
                error.span(),
                format!("`#[{attribute}]` must be on a function"),
            )
        });
        read.map_err(|error| diagnostics.push(error)).ok()
    }

    pub(crate) fn ident(&self) -> &Ident {
        &self.sig.ident
    }

    pub(crate) fn is_async(&self) -> bool {
        self.sig.asyncness.is_some()
    }

    /// Whether types of the signature mean something outside of it.
    pub(crate) fn is_generic(&self) -> bool {
        !self.sig.generics.params.is_empty()
    }

    /// What decides whether the function exists also decides about all that stands beside it.
    pub(crate) fn conditions(&self) -> impl Iterator<Item = &Attribute> {
        self.attrs.iter().filter(|attr| attr.path().is_ident("cfg"))
    }

    pub(crate) fn docs(&self) -> impl Iterator<Item = &Attribute> {
        self.attrs.iter().filter(|attr| attr.path().is_ident("doc"))
    }

    /// The parameters but for a receiver.
    pub(crate) fn parameters(&self) -> Vec<Parameter> {
        let typed = self.sig.inputs.iter().filter_map(|input| match input {
            FnArg::Typed(typed) => Some(Parameter {
                pattern: (*typed.pat).clone(),
                ty: (*typed.ty).clone(),
            }),
            FnArg::Receiver(_) => None,
        });
        typed.collect()
    }

    pub(crate) fn output(&self) -> Output {
        match &self.sig.output {
            ReturnType::Default => Output::Nothing,
            ReturnType::Type(_, ty) => Output::Of(ty.clone()),
        }
    }
}

impl Function {
    /// The next function among other items.
    pub(crate) fn parse_next(input: ParseStream<'_>) -> syn::Result<Self> {
        Ok(Self {
            attrs: input.call(Attribute::parse_outer)?,
            vis: input.parse()?,
            sig: input.parse()?,
            body: body(input)?,
        })
    }
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let function = Self::parse_next(input)?;
        if input.is_empty() {
            Ok(function)
        } else {
            Err(input.error("unexpected token"))
        }
    }
}

/// The braces; also those of a `$body:block`, inside the group that `macro_rules!` makes of it.
fn body(input: ParseStream<'_>) -> syn::Result<Group> {
    let mut token: TokenTree = input.parse()?;
    loop {
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => return Ok(group),
            TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
                token = syn::parse2(group.stream())?;
            }
            other => return Err(syn::Error::new(other.span(), "expected `{`")),
        }
    }
}

impl ToTokens for Function {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self {
            attrs,
            vis,
            sig,
            body,
        } = self;
        tokens.extend(quote! { #(#attrs)* #vis #sig #body });
    }
}

/// One parameter.
#[derive(Debug, Clone)]
pub(crate) struct Parameter {
    pub(crate) pattern: Pat,
    pub(crate) ty: Type,
}

impl Parameter {
    /// The name, if the pattern is one; `r#type` is `type`.
    pub(crate) fn name(&self) -> Option<String> {
        match &self.pattern {
            Pat::Ident(ident) => Some(ident.ident.unraw().to_string()),
            _ => None,
        }
    }

    /// The name, else the type's name, as messages show it.
    pub(crate) fn label(&self) -> String {
        let ty = || named(&self.ty).map(|segment| segment.ident.to_string());
        self.name().or_else(ty).unwrap_or_else(|| "_".to_owned())
    }

    /// The name without `mut` and the like; else the whole pattern.
    pub(crate) fn marked(&self) -> TokenStream {
        match &self.pattern {
            Pat::Ident(ident) => ident.ident.to_token_stream(),
            pattern => pattern.to_token_stream(),
        }
    }
}

/// What a function gives back.
#[derive(Debug, Clone)]
pub(crate) enum Output {
    /// No `->`.
    Nothing,
    /// The type behind `->`.
    Of(Box<Type>),
}

impl Output {
    /// Whether the type, as written, ends in `Result`.
    pub(crate) fn is_fallible(&self) -> bool {
        matches!(self, Self::Of(ty) if is_named(ty, "Result"))
    }

    /// Whether the type hides behind `impl`, so that no other place can name it.
    pub(crate) fn is_opaque(&self) -> bool {
        matches!(self, Self::Of(ty) if mentions_impl(ty))
    }

    /// Whether success carries nothing: no type, `()` or `Result<()>`.
    pub(crate) fn is_unit(&self) -> bool {
        match self {
            Self::Nothing => true,
            Self::Of(ty) if self.is_fallible() => type_argument(ty).is_some_and(is_unit),
            Self::Of(ty) => is_unit(ty),
        }
    }

    /// Where errors about the type belong.
    pub(crate) fn span(&self, function: &Function) -> Span {
        match self {
            Self::Nothing => function.ident().span(),
            Self::Of(ty) => ty.span(),
        }
    }
}

impl ToTokens for Output {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Self::Nothing => tokens.extend(quote! { () }),
            Self::Of(ty) => ty.to_tokens(tokens),
        }
    }
}

/// Reports what no function of any role can be.
pub(crate) fn check(function: &Function, role: Role, diagnostics: &mut Diagnostics) {
    check_alone(function, role, diagnostics);
    for input in &function.sig.inputs {
        check_parameter(input, role, diagnostics);
    }
}

/// [`check`] without the parameters.
pub(crate) fn check_alone(function: &Function, role: Role, diagnostics: &mut Diagnostics) {
    let Role {
        function: what,
        attribute,
    } = role;
    let sig = &function.sig;
    if let Some(constness) = &sig.constness {
        diagnostics.at(constness, format!("{what} must not be `const`"));
    }
    check_callable(function, role, diagnostics);
    if let Some(receiver) = sig.receiver() {
        let message =
            format!("{what} must be a free function: it has no `self`, as nobody makes one for it");
        diagnostics.at(receiver, message);
    }
    for attr in &function.attrs {
        if let Some(trigger) = TRIGGERS.iter().find(|name| ends_in(attr.path(), name)) {
            let message = format!(
                "a function must have one trigger: it has `#[{attribute}]` and `#[{trigger}]`\n\
                 help: write a second function that calls the first"
            );
            diagnostics.at(attr.path(), message);
        }
    }
}

/// Reports what keeps the host from calling a function or method.
pub(crate) fn check_callable(function: &Function, role: Role, diagnostics: &mut Diagnostics) {
    let (sig, what) = (&function.sig, role.function);
    if let Safety::Unsafe(unsafety) = &sig.safety {
        diagnostics.at(
            unsafety,
            format!("{what} must not be `unsafe`: the host calls it"),
        );
    }
    if let Some(abi) = &sig.abi {
        diagnostics.at(abi, format!("{what} must not be `extern`"));
    }
    if function.is_generic() {
        let message = format!(
            "{what} must not be generic: the host knows it by its name and needs one concrete \
             signature"
        );
        diagnostics.at(&sig.generics, message);
    }
    if let Some(variadic) = &sig.variadic {
        diagnostics.at(variadic, format!("{what} must not be variadic"));
    }
}

/// Reports what no parameter can be that the host makes.
pub(crate) fn check_parameter(input: &FnArg, role: Role, diagnostics: &mut Diagnostics) {
    let what = role.function;
    let FnArg::Typed(typed) = input else { return };
    for attr in typed
        .attrs
        .iter()
        .filter(|attr| attr.path().is_ident("cfg"))
    {
        diagnostics.at(
            attr,
            format!("a parameter of {what} must not depend on `#[cfg(..)]`"),
        );
    }
    if mentions_impl(&typed.ty) {
        let message = format!(
            "{what} must not be generic: name the type in place of `{}`",
            show(&typed.ty)
        );
        diagnostics.at(&typed.ty, message);
    } else if let Type::Reference(reference) = peel(&typed.ty) {
        let message = format!(
            "a parameter of {what} must be owned, found `{}`\nhelp: write `{}`",
            show(reference),
            owned(reference),
        );
        diagnostics.at(reference, message);
    } else if let Some(lifetime) = borrowed_lifetime(&typed.ty) {
        let message = format!(
            "a parameter of {what} must be owned, found `{}`, which borrows for `{lifetime}`",
            show(&typed.ty),
        );
        diagnostics.at(&typed.ty, message);
    }
}

/// Takes the attributes of triggers off a function that is in error, so that it is read once.
pub(crate) fn strip_triggers(function: &mut Function) {
    function
        .attrs
        .retain(|attr| !TRIGGERS.iter().any(|name| ends_in(attr.path(), name)));
}

/// The name under which a function is registered: the argument, else the function's own.
pub(crate) fn registered_name(
    function: &Function,
    argument: Option<&Text>,
    diagnostics: &mut Diagnostics,
) -> String {
    name_of(function.ident(), argument, diagnostics)
}

/// The name under which an item is registered: the argument, else its own.
pub(crate) fn name_of(
    ident: &Ident,
    argument: Option<&Text>,
    diagnostics: &mut Diagnostics,
) -> String {
    let name = argument.map_or_else(|| ident.unraw().to_string(), Text::value);
    let fault = name_fault(&name);
    match (fault, argument) {
        (Some(fault), Some(text)) => diagnostics.at(&text.0, fault),
        (Some(fault), None) => {
            diagnostics.at(ident, format!("{fault}\nhelp: give `name = \"..\"`"));
        }
        (None, _) => {}
    }
    name
}

fn name_fault(name: &str) -> Option<String> {
    let shown = format!("the function name `{name}`");
    if name.is_empty() {
        Some("a function name must not be empty".to_owned())
    } else if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        Some(format!("{shown} must start with an ASCII letter"))
    } else if let Some(bad) = name
        .chars()
        .find(|c| !c.is_ascii_alphanumeric() && !"_-".contains(*c))
    {
        Some(format!(
            "{shown} must not contain `{bad}`: ASCII letters, digits, `_` and `-` may follow the first letter"
        ))
    } else if name.len() > 128 {
        Some(format!(
            "{shown} must not be longer than 128 characters, found {}",
            name.len()
        ))
    } else if name.eq_ignore_ascii_case("host") {
        Some(format!("{shown} is taken by the host itself"))
    } else {
        None
    }
}

/// The type without parentheses and without the invisible groups of `macro_rules!`.
pub(crate) fn peel(mut ty: &Type) -> &Type {
    loop {
        match ty {
            Type::Group(group) => ty = &group.elem,
            Type::Paren(paren) => ty = &paren.elem,
            other => return other,
        }
    }
}

/// The last segment of a type that is a path.
pub(crate) fn named(ty: &Type) -> Option<&PathSegment> {
    match peel(ty) {
        Type::Path(path) => path.path.segments.last(),
        _ => None,
    }
}

/// Whether a type, as written, is a path that ends in `name`.
pub(crate) fn is_named(ty: &Type, name: &str) -> bool {
    named(ty).is_some_and(|segment| segment.ident == name)
}

/// The first type argument: `T` of `Option<T>`.
pub(crate) fn type_argument(ty: &Type) -> Option<&Type> {
    let PathArguments::AngleBracketed(arguments) = &named(ty)?.arguments else {
        return None;
    };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

/// Whether a path ends in `name`, whatever it was imported through.
pub(crate) fn ends_in(path: &syn::Path, name: &str) -> bool {
    path.segments
        .last()
        .is_some_and(|segment| segment.ident == name)
}

pub(crate) fn is_unit(ty: &Type) -> bool {
    matches!(peel(ty), Type::Tuple(tuple) if tuple.elems.is_empty())
}

/// A type as people write it: without the spaces that tokens are printed with.
pub(crate) fn show(ty: &impl ToTokens) -> String {
    let mut shown = String::new();
    show_tokens(ty.to_token_stream(), &mut shown);
    shown
}

fn show_tokens(tokens: TokenStream, shown: &mut String) {
    let mut after_word = false;
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                let text = Group::new(group.delimiter(), TokenStream::new()).to_string();
                let (open, close) = text.split_at(text.len() / 2);
                shown.push_str(open.trim());
                show_tokens(group.stream(), shown);
                shown.push_str(close.trim());
                after_word = false;
            }
            TokenTree::Punct(punct) => {
                shown.push(punct.as_char());
                if ",;=+".contains(punct.as_char()) {
                    shown.push(' ');
                }
                after_word = false;
            }
            word => {
                if after_word {
                    shown.push(' ');
                }
                shown.push_str(&word.to_string());
                after_word = true;
            }
        }
    }
}

/// The owned type to write in place of a reference.
fn owned(reference: &syn::TypeReference) -> String {
    match peel(&reference.elem) {
        ty if is_named(ty, "str") => "String".to_owned(),
        Type::Slice(slice) => format!("Vec<{}>", show(&slice.elem)),
        ty => show(ty),
    }
}

fn mentions_impl(ty: &Type) -> bool {
    any_token(
        ty.to_token_stream(),
        &mut |token| matches!(token, TokenTree::Ident(i) if i == "impl"),
    )
}

/// Whether a parameter of this type can be made by the host.
pub(crate) fn is_owned(ty: &Type) -> bool {
    !mentions_impl(ty) && !matches!(peel(ty), Type::Reference(_)) && borrowed_lifetime(ty).is_none()
}

/// A lifetime other than `'static`.
fn borrowed_lifetime(ty: &Type) -> Option<String> {
    let mut quote_before = false;
    let mut found = None;
    any_token(ty.to_token_stream(), &mut |token| {
        match token {
            TokenTree::Ident(ident) if quote_before && ident != "static" => {
                found = Some(format!("'{ident}"));
            }
            _ => {}
        }
        quote_before = matches!(token, TokenTree::Punct(punct) if punct.as_char() == '\'');
        found.is_some()
    });
    found
}

fn any_token(tokens: TokenStream, found: &mut impl FnMut(&TokenTree) -> bool) -> bool {
    tokens.into_iter().any(|token| match &token {
        TokenTree::Group(group) => any_token(group.stream(), found),
        _ => found(&token),
    })
}

/// A location of the user's code for code that the user did not write: errors land there, lints
/// about style do not.
pub(crate) fn located(span: Span) -> Span {
    Span::mixed_site().located_at(span)
}
