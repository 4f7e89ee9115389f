//! An `impl` block as it is written. Bodies stay groups of tokens, as those of functions do.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::discouraged::Speculative;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, ItemImpl, Type};

use crate::signature::Function;

/// An `impl` block whose methods can be looked into.
#[derive(Debug)]
pub(super) struct Block {
    header: TokenStream,
    body: Group,
    items: Vec<Item>,
    /// The header with an empty body.
    pub(super) parsed: ItemImpl,
}

#[derive(Debug)]
enum Item {
    Function(Box<Function>),
    /// One token of anything else.
    Other(TokenTree),
}

impl Block {
    /// Reads the block.
    pub(super) fn read(item: TokenStream) -> syn::Result<Self> {
        let mut header: Vec<TokenTree> = item.into_iter().collect();
        let body = match header.pop() {
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => group,
            other => return Err(syn::Error::new_spanned(other, "expected `{`")),
        };
        let header: TokenStream = header.into_iter().collect();
        Ok(Self {
            parsed: syn::parse2(quote! { #header {} })?,
            items: items.parse2(body.stream())?,
            header,
            body,
        })
    }

    pub(super) fn self_ty(&self) -> &Type {
        &self.parsed.self_ty
    }

    /// What decides whether the block exists also decides about all that stands beside it.
    pub(super) fn conditions(&self) -> impl Iterator<Item = &Attribute> {
        let attrs = self.parsed.attrs.iter();
        attrs.filter(|attr| attr.path().is_ident("cfg"))
    }

    /// The associated functions, in order.
    pub(super) fn functions(&mut self) -> impl Iterator<Item = &mut Function> {
        self.items.iter_mut().filter_map(|item| match item {
            Item::Function(function) => Some(&mut **function),
            Item::Other(_) => None,
        })
    }
}

fn items(input: ParseStream<'_>) -> syn::Result<Vec<Item>> {
    let mut items = Vec::new();
    while !input.is_empty() {
        let ahead = input.fork();
        if let Ok(function) = Function::parse_next(&ahead) {
            input.advance_to(&ahead);
            items.push(Item::Function(Box::new(function)));
        } else {
            items.push(Item::Other(input.parse()?));
        }
    }
    Ok(items)
}

impl ToTokens for Block {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let items = &self.items;
        let mut body = Group::new(Delimiter::Brace, quote! { #(#items)* });
        body.set_span(self.body.span());
        self.header.to_tokens(tokens);
        body.to_tokens(tokens);
    }
}

impl ToTokens for Item {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Self::Function(function) => function.to_tokens(tokens),
            Self::Other(token) => token.to_tokens(tokens),
        }
    }
}
