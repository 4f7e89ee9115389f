//! Where the parameters of operations and entity functions come from.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{FnArg, Type};

use crate::companion;
use crate::diagnostics::Diagnostics;
use crate::durable_client::{Mark, Marks};
use crate::signature::{
    self, Function, Parameter, Role, is_named, located, peel, show, type_argument,
};

const CONTEXT: &str = "EntityContext";

/// Where a parameter's value comes from.
#[derive(Debug)]
pub(super) enum Binding {
    /// The context; whether it may be changed.
    Context(bool),
    Input,
    /// The type inside `State<..>`.
    State(Box<Type>),
    Client {
        task_hub: Option<String>,
        connection: Option<String>,
    },
}

/// A parameter that can be bound.
#[derive(Debug)]
pub(super) struct Bound {
    pub(super) ty: Type,
    pub(super) binding: Binding,
}

/// Binds each parameter; what nothing binds is reported and left out.
pub(super) fn bind_all(
    function: &Function,
    marks: &Marks,
    role: Role,
    diagnostics: &mut Diagnostics,
) -> Vec<Bound> {
    let mut seen = Seen::default();
    let inputs = function.sig.inputs.iter();
    let typed = inputs.filter(|input| matches!(input, FnArg::Typed(_)));
    let parameters = typed.zip(function.parameters()).enumerate();
    let bound = parameters.filter_map(|(index, (input, parameter))| {
        if !is_context(&parameter.ty) && another_context(&parameter.ty).is_none() {
            signature::check_parameter(input, role, diagnostics);
        }
        let binding = seen.bind(&parameter, marks.of(index), role, diagnostics)?;
        let ty = parameter.ty;
        Some(Bound { ty, binding })
    });
    bound.collect()
}

fn is_context(ty: &Type) -> bool {
    matches!(peel(ty), Type::Reference(reference) if is_named(&reference.elem, CONTEXT))
}

/// The context of another kind of function, borrowed or not.
fn another_context(ty: &Type) -> Option<&'static str> {
    let mut others = ["OrchestrationContext", "ActivityContext"].into_iter();
    others.find(|other| is_named(borrowed(ty), other))
}

/// The type behind a reference.
fn borrowed(ty: &Type) -> &Type {
    match peel(ty) {
        Type::Reference(reference) => &reference.elem,
        ty => ty,
    }
}

/// What may be there once.
#[derive(Default)]
struct Seen {
    context: bool,
    input: Option<String>,
}

impl Seen {
    fn bind(
        &mut self,
        parameter: &Parameter,
        mark: Option<&Mark>,
        role: Role,
        diagnostics: &mut Diagnostics,
    ) -> Option<Binding> {
        let (ty, what) = (&parameter.ty, role.function);
        if let Some(mark) = mark {
            return Some(Binding::Client {
                task_hub: mark.task_hub.clone(),
                connection: mark.connection.clone(),
            });
        }
        if is_named(ty, "DurableClient") {
            let message = format!(
                "a `DurableClient` must be marked\nhelp: write `#[durable_client] {}: DurableClient`",
                parameter.label()
            );
            diagnostics.at(parameter.marked(), message);
            return None;
        }
        if let Type::Reference(reference) = peel(ty)
            && is_named(&reference.elem, CONTEXT)
        {
            if std::mem::replace(&mut self.context, true) {
                diagnostics.at(ty, format!("{what} must not take its `{CONTEXT}` twice"));
            }
            return Some(Binding::Context(reference.mutability.is_some()));
        }
        if is_named(ty, CONTEXT) {
            // It is there, in another form: that it is missing is not said too.
            self.context = true;
            let shown = show(ty);
            let message = format!(
                "{what} must borrow its context, found `{shown}`\nhelp: write `&mut {shown}`"
            );
            diagnostics.at(ty, message);
            return Some(Binding::Context(true));
        }
        if let Some(other) = another_context(ty) {
            let message = format!("{what} must not take an `{other}`: its own is `&mut {CONTEXT}`");
            diagnostics.at(ty, message);
            return None;
        }
        if is_named(ty, "State")
            && let Some(state) = type_argument(ty)
        {
            return Some(Binding::State(Box::new(state.clone())));
        }
        if is_named(borrowed(ty), "State") {
            // Borrowed: that is reported.
            return None;
        }
        self.input(parameter, role, diagnostics)
    }

    fn input(
        &mut self,
        parameter: &Parameter,
        role: Role,
        diagnostics: &mut Diagnostics,
    ) -> Option<Binding> {
        let (what, label) = (role.function, parameter.label());
        let Some(first) = &self.input else {
            self.input = Some(label);
            return Some(Binding::Input);
        };
        let message = format!(
            "{what} must have at most one input, found `{label}` after `{first}`\n\
             help: take both as one tuple, `({first}, {label}): (.., ..)`, or as a struct"
        );
        diagnostics.push(syn::Error::new(parameter.marked().span(), message));
        None
    }
}

/// The values of all parameters, and the arguments of the call that takes them.
#[derive(Debug)]
pub(super) struct Values {
    pub(super) bound: TokenStream,
    pub(super) arguments: Vec<TokenStream>,
}

/// Takes the value of each parameter from the invocation; `input` reads the input.
pub(super) fn values(bound: &[Bound], span: Span, input: &TokenStream) -> Values {
    let context = companion::local("__durable_context", span);
    let mut values = Values {
        bound: TokenStream::new(),
        arguments: Vec::new(),
    };
    for (index, Bound { ty, binding }) in bound.iter().enumerate() {
        let span = located(ty.span());
        let name = companion::local(&format!("__durable_{index}"), ty.span());
        let invocation = invocation(ty.span());
        let value = match binding {
            Binding::Context(mutable) => {
                let mutability = mutable.then(|| quote! { mut });
                let bound = quote_spanned! { span=> let mut #context = #invocation.context(); };
                values.bound.extend(bound);
                let argument = quote_spanned! { span=> &#mutability #context };
                values.arguments.push(argument);
                continue;
            }
            Binding::Input => quote_spanned! { span=> #input(&#invocation) },
            Binding::State(state) => quote_spanned! { span=> #invocation.state::<#state>() },
            Binding::Client {
                task_hub,
                connection,
            } => {
                let task_hub = companion::option(task_hub.as_ref().map(|text| quote! { #text }));
                let connection =
                    companion::option(connection.as_ref().map(|text| quote! { #text }));
                quote_spanned! { span=> #invocation.client(#task_hub, #connection) }
            }
        };
        let value = companion::or_return(&value, &companion::as_error());
        values.bound.extend(quote! { let #name: #ty = #value; });
        values.arguments.push(quote! { #name });
    }
    values
}

/// The name of the invocation in generated code.
pub(super) fn invocation(span: Span) -> Ident {
    companion::local("__durable_invocation", span)
}
