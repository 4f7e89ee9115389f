//! What command lines mean.

use super::*;

fn line(text: &str) -> Result<Cli, clap::Error> {
    let args = std::iter::once("app").chain(text.split_whitespace());
    parse(args.map(Into::into))
}

#[test]
fn the_command_line_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn start_is_the_default_and_takes_its_options_on_both_sides() {
    for text in [
        "--port 0 --no-auth",
        "start --port 0 --no-auth",
        "--no-auth start --port 0",
    ] {
        let cli = line(text).unwrap();
        let start = match cli.command {
            None => cli.start,
            Some(Command::Start(more)) => cli.start.or(more),
            other => panic!("{other:?}"),
        };
        assert_eq!((start.port, start.no_auth), (Some(0), true), "{text}");
    }
}

#[test]
fn wrong_usage_is_refused() {
    for text in [
        "frobnicate",
        "--port 70000",
        "--enable-auth --no-auth",
        "--port 1 keys list",
        "keys renew",
        "keys renew --host --system",
        "instances list --status frozen",
        "instances list --top 0",
        "instances start",
        "hub backup",
        "instances export",
    ] {
        let error = line(text).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{text}");
    }
}

#[test]
fn global_options_stand_anywhere() {
    for text in [
        "--json keys list",
        "keys --json list",
        "keys list --json --script-root x",
    ] {
        assert!(line(text).unwrap().global.json, "{text}");
    }
}

#[test]
fn every_command_has_a_help() {
    for text in [
        "--help",
        "start --help",
        "keys renew --help",
        "instances start --help",
    ] {
        let error = line(text).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::DisplayHelp, "{text}");
    }
}

/// A program with one function of each kind, its hub in a folder.
struct Program<'a>(&'a std::path::Path);

impl App for Program<'_> {
    fn serve(
        self,
        _: StartArgs,
        _: Option<&std::path::Path>,
    ) -> Result<(), durable_runtime::Error> {
        Err(durable_runtime::Error::msg("not here"))
    }

    fn site(self, _: Option<&std::path::Path>) -> Result<Site, durable_runtime::Error> {
        let line = |kind, name: &str, route: Option<&str>| FunctionLine {
            kind,
            name: name.into(),
            version: None,
            methods: Vec::new(),
            route: route.map(Into::into),
            auth_level: route.map(|_| "function"),
            schedule: None,
            disabled: name.starts_with("Off"),
        };
        Ok(Site {
            functions: vec![
                line("httpTrigger", "Hello", Some("api/hello")),
                line("orchestrationTrigger", "E1", None),
                line("orchestrationTrigger", "OffOrder", None),
                line("entityTrigger", "OffTill", None),
            ],
            hub: self.0.join("hub.db"),
            cipher: crate::keys::Cipher::new(None, self.0.join("hub.key"))?,
            payload_limit: 1024,
            default_version: Some("1.5".to_owned()),
        })
    }
}

fn status(folder: &std::path::Path, text: &str) -> u8 {
    let args = std::iter::once("app").chain(text.split_whitespace());
    run(Program(folder), args.map(Into::into))
}

#[test]
fn a_hub_that_is_not_there_is_not_made_to_be_looked_into() {
    let folder = tempfile::tempdir().unwrap();
    let typo = folder.path().join("typo");
    for text in [
        "instances list",
        "instances get one",
        "instances history one",
        "instances export one",
        "instances suspend one",
        "instances purge one",
        "entities list",
        "entities get counter",
        "entities clean",
        "hub info",
        "hub check",
        "hub backup copy.db",
        "hub reset --yes",
    ] {
        assert_eq!(status(&typo, text), 1, "{text}");
        assert!(!typo.exists(), "{text}");
    }
    let site = Program(&typo).site(None).unwrap();
    let said = site.hub_exists().unwrap_err().to_string();
    let named = typo.join("hub.db").display().to_string();
    assert!(
        said.contains("there is no hub here") && said.contains(&named),
        "{said}"
    );
    assert_eq!(status(&typo, "instances start e1"), 0);
    assert_eq!(status(&typo, "instances list"), 0);
}

#[test]
fn a_hub_that_nobody_holds_is_opened_and_given_work() {
    let folder = tempfile::tempdir().unwrap();
    for (text, expected) in [
        ("functions list", 0),
        ("keys list", 0),
        ("keys list --json", 0),
        ("keys renew --function hello", 0),
        ("keys renew extra --host --json", 0),
        ("keys delete extra --host", 0),
        ("keys delete extra --host", 1),
        ("keys delete _master --host", 1),
        ("keys renew --function nope", 1),
        ("instances list", 0),
        ("instances start e1 --input [1]", 0),
        ("instances start nope", 1),
        ("instances start offorder", 1),
        ("entities signal offtill one sell", 1),
        ("instances start E1 --input {bad", 1),
        (
            &format!("instances start E1 --input {}", "1".repeat(1024)),
            0,
        ),
        (
            &format!("instances start E1 --input {}", "1".repeat(1025)),
            1,
        ),
        ("instances list --json --prefix a", 0),
        ("instances list --status running --status Pending", 0),
        ("instances get nope", 1),
        ("instances terminate nope", 1),
        ("instances purge nope", 1),
        ("instances purge nope --recursive", 1),
        ("instances history nope", 1),
        ("instances rewind nope", 1),
        ("instances restart nope", 1),
        ("instances start e1 --id kept", 0),
        ("instances history kept", 0),
        ("instances get kept", 0),
        ("instances restart kept", 0),
        ("instances restart kept --same-id", 1),
        ("instances suspend kept", 0),
        ("instances terminate kept --recursive", 0),
        ("entities signal counter cats add", 1),
        ("entities clean", 0),
        ("entities clean --json", 0),
        ("start", 1),
        ("nonsense", 2),
    ] {
        assert_eq!(status(folder.path(), text), expected, "{text}");
    }
}

#[tokio::test]
async fn an_instance_started_without_a_host_waits_for_one() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(status_off_thread(folder.path(), "instances start E1"), 0);
    let site = Program(folder.path()).site(None).unwrap();
    let reach::Reach::Local(hub) = reach::opened(&site).unwrap() else {
        panic!("nobody holds it");
    };
    let store = hub.store();
    let found = store.list(durable_runtime::store::ListQuery {
        limit: 10,
        ..Default::default()
    });
    let found = found.await.unwrap();
    let id = found[0].id.to_string();
    assert_eq!((found.len(), &*found[0].name), (1, "E1"));
    assert_eq!(found[0].version, "1.5");
    let start = |name: &str| request::NewStart {
        name: name.to_owned(),
        id: None,
        input: None,
        version: None,
    };
    // As a running host refuses it.
    let refused = hub.start(&start("offorder")).await.unwrap_err().to_string();
    assert_eq!(
        refused,
        "the orchestrator `OffOrder` is disabled by the setting `AzureWebJobs.OffOrder.Disabled`"
    );
    let refused = hub.start(&start("nope")).await.unwrap_err().to_string();
    assert_eq!(refused, "there is no orchestrator `nope`; there are `E1`");
    let terminate = request::Message::Terminate {
        reason: None,
        recursive: false,
    };
    hub.tell(&id, &terminate).await.unwrap();
    let too_large = request::Message::Event {
        name: "go".to_owned(),
        data: durable_runtime::model::Payload::text(&"x".repeat(1023)),
    };
    let refused = hub.tell(&id, &too_large).await.unwrap_err().to_string();
    assert!(
        refused.contains("the event's data is too large: expected at most 1024 bytes of JSON"),
        "{refused}"
    );
    let resume = request::Message::Resume { reason: None };
    let refused = hub.tell(&id, &resume).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        format!("cannot resume `{id}`: it is Pending")
    );
    let rewind = request::Message::Rewind { reason: None };
    let refused = hub.tell(&id, &rewind).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        format!("cannot rewind `{id}`: it is Pending, and only what has failed can be rewound")
    );
    let refused = hub.tell("@counter@x", &terminate).await.unwrap_err();
    assert!(refused.to_string().contains("signal the entity"));
    for recursive in [false, true] {
        let purged = hub.purge(&id, recursive).await;
        assert!(purged.is_err(), "it has not ended");
    }
    let shown = hub.get(&id).await.unwrap();
    let row = row::Row::read(&shown).unwrap();
    let lines = row.lines();
    assert!(
        lines.contains("1 received and not yet processed"),
        "{lines}"
    );
    hub.close().await;
}

/// The tool makes its own runtime, which must not be within another.
fn status_off_thread(folder: &std::path::Path, text: &str) -> u8 {
    std::thread::scope(|scope| scope.spawn(|| status(folder, text)).join().unwrap())
}

#[test]
fn a_hub_that_is_held_is_looked_into_but_not_opened() {
    use durable_runtime::store::sqlite::{Options, SqliteStore};
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(status(folder.path(), "keys list"), 0);
    let store = SqliteStore::open(Options::new(folder.path().join("hub.db"))).unwrap();
    assert_eq!(status(folder.path(), "keys list"), 0);
    assert_eq!(
        status(folder.path(), "keys renew --master"),
        1,
        "it says nowhere to ask"
    );
    store.announce("http://127.0.0.1:9").unwrap();
    assert_eq!(
        status(folder.path(), "keys renew --master"),
        1,
        "nobody listens there"
    );
}
