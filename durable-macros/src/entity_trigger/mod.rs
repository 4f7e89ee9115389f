//! `#[entity_trigger]`: a piece of state with operations, as the `impl` block of a type or as a function.

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use syn::Visibility;
use syn::parse::{ParseStream, Parser};

use crate::arguments;
use crate::diagnostics::Diagnostics;
use crate::durable_client;
use crate::paths::Paths;
use crate::signature::{self, Function, Role};

use self::args::EntityArgs;
use self::block::Block;
use self::function::EntityFunction;
use self::model::Object;

mod args;
mod binding;
mod block;
mod expand;
mod function;
mod model;
mod proxy;
#[cfg(test)]
mod tests;

/// A method of a type.
const OPERATION: Role = Role {
    attribute: "entity_trigger",
    function: "an operation",
};

/// A function that is all operations at once.
const FUNCTION: Role = Role {
    attribute: "entity_trigger",
    function: "an entity function",
};

/// The attribute.
pub(crate) fn expand(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut diagnostics = Diagnostics::default();
    let args: EntityArgs = arguments::parse(args, &mut diagnostics);
    let item = out_of_groups(item);
    match kind(&item) {
        Ok(Kind::Block) => match Block::read(item.clone()) {
            Ok(block) => object(&args, block, diagnostics),
            Err(error) => {
                diagnostics.push(error);
                diagnostics.with_item(item)
            }
        },
        Ok(Kind::Function) => match syn::parse2(item.clone()) {
            Ok(function) => entity_function(&args, function, diagnostics),
            Err(error) => {
                diagnostics.push(error);
                diagnostics.with_item(item)
            }
        },
        Err(error) => {
            diagnostics.push(error);
            diagnostics.with_item(item)
        }
    }
}

fn object(args: &EntityArgs, mut block: Block, mut diagnostics: Diagnostics) -> TokenStream {
    let Some(object) = Object::new(args, &mut block, &mut diagnostics) else {
        return diagnostics.with_item(block);
    };
    let paths = Paths::new(args.root.as_ref().or(object.root()));
    if diagnostics.is_empty() {
        return expand::expand(&block, &object, &paths);
    }
    diagnostics.with_item(expand::fallback(&block, &object, &paths))
}

fn entity_function(
    args: &EntityArgs,
    mut function: Function,
    mut diagnostics: Diagnostics,
) -> TokenStream {
    let marks = durable_client::take(&mut function, &mut diagnostics);
    let entity = EntityFunction::new(args, &function, &marks, &mut diagnostics);
    let paths = Paths::new(args.root.as_ref().or(marks.root()));
    if diagnostics.is_empty() {
        return function::expand(&function, &entity, &marks, &paths);
    }
    signature::strip_triggers(&mut function);
    diagnostics.with_item(function::fallback(&function, &entity, &paths))
}

/// The two kinds of entities.
enum Kind {
    Block,
    Function,
}

/// Which one an item is, by its first words.
fn kind(item: &TokenStream) -> syn::Result<Kind> {
    let first_words = |input: ParseStream<'_>| {
        syn::Attribute::parse_outer(input)?;
        input.parse::<Visibility>()?;
        let rest: TokenStream = input.parse()?;
        let words = rest.clone().into_iter().map_while(|token| match token {
            TokenTree::Ident(word) => Some(Some(word)),
            // `extern "C" fn`
            TokenTree::Literal(_) => Some(None),
            _ => None,
        });
        Ok((rest, words.flatten().collect::<Vec<Ident>>()))
    };
    let (rest, words) = first_words.parse2(item.clone())?;
    if words.iter().any(|word| word == "fn") {
        return Ok(Kind::Function);
    }
    if words.iter().any(|word| word == "impl") {
        return Ok(Kind::Block);
    }
    let message = "`#[entity_trigger]` must be on an `impl` block or on a function";
    Err(match words.as_slice() {
        [word, name, ..] if word == "struct" || word == "enum" => {
            let help = format!("help: move it to `impl {name} {{ .. }}`");
            syn::Error::new(word.span(), format!("{message}\n{help}"))
        }
        _ => syn::Error::new_spanned(rest.into_iter().next(), message),
    })
}

/// Without the invisible group that `macro_rules!` puts around an item.
fn out_of_groups(item: TokenStream) -> TokenStream {
    let mut tokens = item.clone().into_iter();
    match (tokens.next(), tokens.next()) {
        (Some(TokenTree::Group(group)), None) if group.delimiter() == Delimiter::None => {
            out_of_groups(group.stream())
        }
        _ => item,
    }
}
