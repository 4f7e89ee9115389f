//! The body of an orchestrator: calls that can never be deterministic are refused, random choice
//! becomes ordered choice.
//!
//! All of it works on tokens, so that it reaches into macro calls too. Paths are matched as they
//! are written, by their last segments: names are not resolved. A bare imported name is therefore
//! not seen; `disallowed-methods` of clippy, which resolves names, is the second net.

use proc_macro2::{Delimiter, Group, Ident, Punct, Spacing, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::{ParseStream, Parser};
use syn::{Arm, Expr, Path, Stmt};

use crate::diagnostics::Diagnostics;

const ALLOW: &str = "allow_nondeterminism";

const TIMER: &str = "`ctx.create_timer(..).await`";
const TIMEOUT: &str =
    "`.with_timeout(..)` on the call, or a choice between it and `ctx.create_timer(..)`";
const CLOCK: &str = "`ctx.current_utc_datetime()`";
const GUID: &str = "`ctx.new_guid()`";
const RANDOM: &str = "`ctx.new_guid()` as a seed, or draw the number in an activity";
const SPAWN: &str = "`ctx.call_activity(..)` for the work, and `join!` or `ctx.when_all(..)` to let calls run side by side";
const HTTP: &str = "`ctx.call_http(..).await`, or send the request in an activity";
const FILES: &str = "an activity that reads or writes the file: `ctx.call_activity(..)`";
const ENVIRONMENT: &str =
    "the input, or an activity that reads the setting: `ctx.call_activity(..)`";
const NETWORK: &str = "an activity that talks to the network: `ctx.call_activity(..)`";
const PROCESS: &str = "an activity that runs the command: `ctx.call_activity(..)`";
const SIGNAL: &str = "`ctx.wait_for_external_event(..).await`";
const BLOCK: &str = "`.await`";
const STREAMS: &str = "`ctx.when_any(..)` over the calls, or `FuturesUnordered`";

/// Last segments of paths, and what to use in their place. `*` is any function below the segment.
const FORBIDDEN: &[(&[&[&str]], &str)] = &[
    (
        &[
            &["time", "sleep"],
            &["time", "sleep_until"],
            &["time", "interval"],
            &["time", "interval_at"],
            &["thread", "sleep"],
            &["thread", "sleep_ms"],
            &["thread", "sleep_until"],
            &["thread", "park"],
            &["thread", "park_timeout"],
            &["Delay", "new"],
        ],
        TIMER,
    ),
    (&[&["time", "timeout"], &["time", "timeout_at"]], TIMEOUT),
    (
        &[
            &["Utc", "now"],
            &["Local", "now"],
            &["Utc", "today"],
            &["Local", "today"],
            &["Instant", "now"],
            &["SystemTime", "now"],
            &["OffsetDateTime", "now_utc"],
            &["OffsetDateTime", "now_local"],
            &["Zoned", "now"],
            &["Timestamp", "now"],
        ],
        CLOCK,
    ),
    (
        &[
            &["Uuid", "new_v4"],
            &["Uuid", "now_v1"],
            &["Uuid", "now_v6"],
            &["Uuid", "now_v7"],
            &["Ulid", "new"],
        ],
        GUID,
    ),
    (
        &[
            &["rand", "random"],
            &["rand", "random_bool"],
            &["rand", "random_iter"],
            &["rand", "random_range"],
            &["rand", "random_ratio"],
            &["rand", "fill"],
            &["rand", "rng"],
            &["rand", "thread_rng"],
            &["rngs", "OsRng"],
            &["fastrand", "*"],
            &["getrandom", "*"],
            &["OsRng", "*"],
            &["ThreadRng", "default"],
            &["StdRng", "from_os_rng"],
            &["StdRng", "from_entropy"],
            &["SmallRng", "from_os_rng"],
            &["SmallRng", "from_entropy"],
        ],
        RANDOM,
    ),
    (
        &[
            &["tokio", "spawn"],
            &["task", "spawn"],
            &["task", "spawn_blocking"],
            &["task", "spawn_local"],
            &["task", "block_in_place"],
            &["thread", "spawn"],
            &["thread", "scope"],
            &["rt", "spawn"],
            &["Arbiter", "new"],
            &["rayon", "spawn"],
            &["rayon", "scope"],
            &["web", "block"],
        ],
        SPAWN,
    ),
    (
        &[
            &["reqwest", "get"],
            &["reqwest", "Client"],
            &["reqwest", "ClientBuilder"],
            &["reqwest", "Client", "new"],
            &["reqwest", "Client", "builder"],
            &["reqwest", "ClientBuilder", "new"],
            &["blocking", "get"],
            &["awc", "Client"],
            &["awc", "Client", "new"],
            &["ureq", "get"],
            &["ureq", "post"],
            &["ureq", "put"],
            &["ureq", "delete"],
        ],
        HTTP,
    ),
    (
        &[
            &["fs", "canonicalize"],
            &["fs", "copy"],
            &["fs", "create_dir"],
            &["fs", "create_dir_all"],
            &["fs", "exists"],
            &["fs", "hard_link"],
            &["fs", "metadata"],
            &["fs", "read"],
            &["fs", "read_dir"],
            &["fs", "read_link"],
            &["fs", "read_to_string"],
            &["fs", "remove_dir"],
            &["fs", "remove_dir_all"],
            &["fs", "remove_file"],
            &["fs", "rename"],
            &["fs", "set_permissions"],
            &["fs", "symlink_metadata"],
            &["fs", "try_exists"],
            &["fs", "write"],
            &["File", "create"],
            &["File", "create_new"],
            &["File", "open"],
            &["File", "options"],
            &["OpenOptions", "new"],
        ],
        FILES,
    ),
    (
        &[
            &["env", "args"],
            &["env", "current_dir"],
            &["env", "home_dir"],
            &["env", "set_var"],
            &["env", "temp_dir"],
            &["env", "var"],
            &["env", "var_os"],
            &["env", "vars"],
            &["env", "vars_os"],
        ],
        ENVIRONMENT,
    ),
    (
        &[
            &["TcpStream", "connect"],
            &["TcpListener", "bind"],
            &["UdpSocket", "bind"],
            &["UnixStream", "connect"],
            &["UnixListener", "bind"],
            &["net", "lookup_host"],
        ],
        NETWORK,
    ),
    (
        &[&["process", "Command"], &["process", "Command", "new"]],
        PROCESS,
    ),
    (&[&["signal", "ctrl_c"], &["io", "stdin"]], SIGNAL),
    (&[&["executor", "block_on"]], BLOCK),
    (
        &[
            &["futures", "stream_select"],
            &["futures_util", "stream_select"],
        ],
        STREAMS,
    ),
];

/// Bare names that are told from others only by being called.
const FORBIDDEN_CALLS: &[(&str, &str)] = &[("thread_rng", RANDOM)];

/// The body as it is compiled, and the attributes that were taken out of it.
pub(crate) struct Body {
    pub(crate) tokens: Group,
    pub(crate) allowed: Vec<Path>,
}

/// Checks and rewrites the body of an orchestrator.
pub(crate) fn rewrite(body: &Group, diagnostics: &mut Diagnostics) -> Body {
    let mut scan = Scan {
        diagnostics,
        allowed: Vec::new(),
        lifted: false,
    };
    let tokens = scan.group(body);
    Body {
        tokens,
        allowed: scan.allowed,
    }
}

/// `#[allow_nondeterminism]` where no orchestrator took it away.
pub(crate) fn misplaced(_args: TokenStream, item: TokenStream) -> TokenStream {
    let mut diagnostics = Diagnostics::default();
    let message = "`#[allow_nondeterminism]` must be on a statement of an \
                   `#[orchestration_trigger]` function";
    diagnostics.push(syn::Error::new(Span::call_site(), message));
    diagnostics.with_item(item)
}

struct Scan<'a> {
    diagnostics: &'a mut Diagnostics,
    allowed: Vec<Path>,
    /// Whether `#[allow_nondeterminism]` stands above.
    lifted: bool,
}

impl Scan<'_> {
    /// A group that needs no change keeps its own tokens, and with them its exact spans.
    fn group(&mut self, group: &Group) -> Group {
        match self.tokens(group.stream()) {
            None => group.clone(),
            Some(changed) => regroup(group, changed),
        }
    }

    /// The tokens after the rewrite; nothing if they stay as they are.
    fn tokens(&mut self, tokens: TokenStream) -> Option<TokenStream> {
        let tokens: Vec<_> = tokens.into_iter().collect();
        let mut out = Vec::with_capacity(tokens.len());
        let (mut at, mut changed) = (0, false);
        while at < tokens.len() {
            let rest = &tokens[at..];
            if let Some(path) = allow_attribute(rest) {
                let length = statement_length(&rest[2..]);
                out.extend(self.lifted(path, &rest[2..2 + length]));
                at += 2 + length;
                changed = true;
            } else if let Some(path) =
                WrittenPath::at_start(rest).filter(|_| !is_method(&tokens[..at]))
            {
                at += path.length;
                changed |= self.path(&path, &tokens, &mut at, &mut out);
            } else {
                changed |= self.single(&tokens[at], &mut out);
                at += 1;
            }
        }
        changed.then(|| out.into_iter().collect())
    }

    fn single(&mut self, token: &TokenTree, out: &mut Vec<TokenTree>) -> bool {
        if let TokenTree::Group(group) = token
            && let Some(changed) = self.tokens(group.stream())
        {
            out.push(regroup(group, changed).into());
            return true;
        }
        out.push(token.clone());
        false
    }

    /// A statement below `#[allow_nondeterminism]`.
    fn lifted(&mut self, path: Path, statement: &[TokenTree]) -> TokenStream {
        self.allowed.push(path);
        let before = std::mem::replace(&mut self.lifted, true);
        let tokens: TokenStream = statement.iter().cloned().collect();
        let rewritten = self.tokens(tokens.clone()).unwrap_or(tokens);
        self.lifted = before;
        rewritten
    }

    /// A path that ends before `at`; with its arguments if it is a macro call.
    fn path(
        &mut self,
        path: &WrittenPath<'_>,
        tokens: &[TokenTree],
        at: &mut usize,
        out: &mut Vec<TokenTree>,
    ) -> bool {
        self.lint(path, tokens.get(*at));
        let Some(call) = MacroCall::at_start(&tokens[*at..]) else {
            out.extend_from_slice(path.tokens);
            return false;
        };
        *at += 2;
        let choice = self.choice(path, call.arguments);
        let arguments = self.tokens(call.arguments.stream());
        if choice == Choice::None && arguments.is_none() {
            out.extend_from_slice(path.tokens);
            out.extend([call.bang.clone().into(), call.arguments.clone().into()]);
            return false;
        }
        let mut arguments = arguments.unwrap_or_else(|| call.arguments.stream());
        let (last, start) = (path.last(), &path.tokens[..path.tokens.len() - 1]);
        out.extend_from_slice(start);
        match choice {
            Choice::Futures => out.push(Ident::new("select_biased", last.span()).into()),
            Choice::Tokio | Choice::None => out.push(last.clone().into()),
        }
        if choice == Choice::Tokio {
            let biased = Ident::new("biased", Span::call_site());
            let mut ordered = TokenStream::from(TokenTree::from(biased));
            ordered.extend([TokenTree::from(Punct::new(';', Spacing::Alone))]);
            ordered.extend(arguments);
            arguments = ordered;
        }
        out.extend([
            call.bang.clone().into(),
            regroup(call.arguments, arguments).into(),
        ]);
        true
    }

    fn lint(&mut self, path: &WrittenPath<'_>, next: Option<&TokenTree>) {
        if self.lifted {
            return;
        }
        let Some(replacement) = path.replacement(next) else {
            return;
        };
        let message = format!(
            "`{}` is not deterministic, so an orchestrator must not use it\nhelp: use {replacement}",
            path.shown(),
        );
        self.diagnostics.at(path.stream(), message);
    }

    /// Which random choice a macro call is, if it is one. One that cannot be told is an error.
    fn choice(&mut self, path: &WrittenPath<'_>, arguments: &Group) -> Choice {
        let names: Vec<_> = path.segments.iter().map(ToString::to_string).collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        match names.as_slice() {
            [.., "tokio", "select"] if is_biased(arguments) => Choice::None,
            [.., "tokio", "select"] => Choice::Tokio,
            [.., "futures" | "futures_util", "select"] => Choice::Futures,
            [.., "select_biased"] => Choice::None,
            [.., last] if !self.lifted && (*last == "select" || has_branches(arguments)) => {
                let message = format!(
                    "`{}!` must be written with its crate: an orchestrator chooses in order, and \
                     which macro this is cannot be told from its name\nhelp: write \
                     `tokio::select!` or `futures::select!`",
                    path.shown(),
                );
                self.diagnostics.at(path.stream(), message);
                Choice::None
            }
            _ => Choice::None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Choice {
    Tokio,
    Futures,
    None,
}

/// `!` and the arguments behind it.
struct MacroCall<'a> {
    bang: &'a Punct,
    arguments: &'a Group,
}

impl<'a> MacroCall<'a> {
    fn at_start(tokens: &'a [TokenTree]) -> Option<Self> {
        match tokens {
            [TokenTree::Punct(bang), TokenTree::Group(arguments), ..]
                if bang.as_char() == '!' && arguments.delimiter() != Delimiter::None =>
            {
                Some(Self { bang, arguments })
            }
            _ => None,
        }
    }
}

/// A path as it is written: its names without generic arguments, and all its tokens.
struct WrittenPath<'a> {
    segments: Vec<&'a Ident>,
    tokens: &'a [TokenTree],
    length: usize,
}

impl<'a> WrittenPath<'a> {
    fn at_start(tokens: &'a [TokenTree]) -> Option<Self> {
        let mut length = if is_separator(tokens) { 2 } else { 0 };
        let mut segments = Vec::new();
        loop {
            match tokens.get(length) {
                Some(TokenTree::Ident(ident)) => segments.push(ident),
                Some(TokenTree::Punct(open)) if open.as_char() == '<' && !segments.is_empty() => {
                    // `Vec::<u8>::new`: the arguments are not part of the name. A path that ends
                    // in them is cut before them, and they are looked through on their own.
                    let close = closing(&tokens[length..])?;
                    if !is_separator(&tokens[length + close..]) {
                        length -= 2;
                        break;
                    }
                    length += close + 2;
                    continue;
                }
                _ if segments.is_empty() => return None,
                // `use a::{b, c}` and `use a::*`
                _ => {
                    length -= 2;
                    break;
                }
            }
            length += 1;
            if !is_separator(&tokens[length..]) {
                break;
            }
            length += 2;
        }
        Some(Self {
            segments,
            tokens: &tokens[..length],
            length,
        })
    }

    fn last(&self) -> &'a Ident {
        self.segments[self.segments.len() - 1]
    }

    fn shown(&self) -> String {
        self.stream().to_string().replace(' ', "")
    }

    fn stream(&self) -> TokenStream {
        self.tokens.iter().cloned().collect()
    }

    /// What to use in place of this path, if it is forbidden.
    fn replacement(&self, next: Option<&TokenTree>) -> Option<&'static str> {
        if let [single] = self.segments.as_slice() {
            let called = matches!(next, Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis);
            let call = FORBIDDEN_CALLS
                .iter()
                .find(|(name, _)| called && *single == name);
            return call.map(|(_, replacement)| *replacement);
        }
        let entry = FORBIDDEN
            .iter()
            .find(|(paths, _)| paths.iter().any(|path| self.ends_in(path)));
        entry.map(|(_, replacement)| *replacement)
    }

    fn ends_in(&self, path: &[&str]) -> bool {
        let same = |(written, name): (&&Ident, &&str)| match *name {
            "*" => written
                .to_string()
                .starts_with(|c: char| c.is_ascii_lowercase()),
            name => **written == name,
        };
        self.segments.len() >= path.len()
            && self.segments.iter().rev().zip(path.iter().rev()).all(same)
    }
}

/// `::`
fn is_separator(tokens: &[TokenTree]) -> bool {
    matches!(tokens, [TokenTree::Punct(first), TokenTree::Punct(second), ..]
        if first.as_char() == ':' && first.spacing() == Spacing::Joint && second.as_char() == ':')
}

/// How many tokens `<..>` takes.
fn closing(tokens: &[TokenTree]) -> Option<usize> {
    let (mut depth, mut before) = (0_usize, ' ');
    for (index, token) in tokens.iter().enumerate() {
        let TokenTree::Punct(punct) = token else {
            before = ' ';
            continue;
        };
        match punct.as_char() {
            '<' => depth += 1,
            '>' if before != '-' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(index + 1);
        }
        before = punct.as_char();
    }
    None
}

/// Whether a name that follows belongs to a value: `.name`, and not `..name`. Names that are
/// being made, as in `fn name`, are none to check either.
fn is_method(before: &[TokenTree]) -> bool {
    let dot = |token: &TokenTree| matches!(token, TokenTree::Punct(p) if p.as_char() == '.');
    match before {
        [.., first, last] if dot(last) => !dot(first),
        [last] if dot(last) => true,
        [.., TokenTree::Ident(keyword)] => keyword == "fn",
        _ => false,
    }
}

/// `#[allow_nondeterminism]`, under any path.
fn allow_attribute(tokens: &[TokenTree]) -> Option<Path> {
    let [TokenTree::Punct(pound), TokenTree::Group(group), ..] = tokens else {
        return None;
    };
    if pound.as_char() != '#' || group.delimiter() != Delimiter::Bracket {
        return None;
    }
    let path = Path::parse_mod_style.parse2(group.stream()).ok()?;
    crate::signature::ends_in(&path, ALLOW).then_some(path)
}

/// How many tokens the statement, match arm or expression takes that begins here.
fn statement_length(tokens: &[TokenTree]) -> usize {
    fn left<T>(
        parse: impl FnOnce(ParseStream<'_>) -> syn::Result<T>,
        tokens: &[TokenTree],
    ) -> Option<usize> {
        let parser = |input: ParseStream<'_>| {
            parse(input)?;
            input.parse::<TokenStream>()
        };
        let rest = parser.parse2(tokens.iter().cloned().collect()).ok()?;
        Some(rest.into_iter().count())
    }
    let left = left(|input| input.parse::<Stmt>(), tokens)
        .or_else(|| left(|input| input.parse::<Arm>(), tokens))
        .or_else(|| left(|input| input.parse::<Expr>(), tokens));
    match left {
        Some(left) => tokens.len() - left,
        // Not Rust as syn knows it: to the end of the line, so to say.
        None => {
            let end =
                |token: &TokenTree| matches!(token, TokenTree::Punct(p) if p.as_char() == ';');
            tokens
                .iter()
                .position(end)
                .map_or(tokens.len(), |end| end + 1)
        }
    }
}

/// Whether the arguments of `tokio::select!` begin with `biased;`.
fn is_biased(arguments: &Group) -> bool {
    let tokens: Vec<_> = arguments.stream().into_iter().take(2).collect();
    matches!(tokens.as_slice(), [TokenTree::Ident(word), TokenTree::Punct(end)]
        if word == "biased" && end.as_char() == ';')
}

/// Whether macro arguments read `pattern = future => ..`, as those of every `select!` do, under
/// whatever name it was imported.
fn has_branches(arguments: &Group) -> bool {
    let mut tokens = arguments.stream().into_iter().peekable();
    let mut bound = false;
    let mut before = ' ';
    while let Some(token) = tokens.next() {
        let TokenTree::Punct(punct) = token else {
            before = ' ';
            continue;
        };
        let next = match tokens.peek() {
            Some(TokenTree::Punct(next)) if punct.spacing() == Spacing::Joint => next.as_char(),
            _ => ' ',
        };
        match (punct.as_char(), next) {
            ('=', '>') if bound => return true,
            ('=', '>' | '=') => bound = false,
            ('=', _) => bound = !"=<>!+-*/%&|^.".contains(before),
            (',' | ';', _) => bound = false,
            _ => {}
        }
        before = if punct.spacing() == Spacing::Joint {
            punct.as_char()
        } else {
            ' '
        };
    }
    false
}

fn regroup(group: &Group, tokens: TokenStream) -> Group {
    let mut changed = Group::new(group.delimiter(), tokens);
    changed.set_span(group.span());
    changed
}

impl ToTokens for Body {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.tokens.to_tokens(tokens);
    }
}

#[cfg(test)]
mod tests;
