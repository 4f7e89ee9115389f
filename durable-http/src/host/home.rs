//! The home page: that the host is up. What it serves is shown only where no keys are asked for.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_SECURITY_POLICY, X_CONTENT_TYPE_OPTIONS};

use super::{Listed, Shared};

const HEAD: &str = "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Durable Functions</title>\n\
    <style>body{font:16px/1.5 sans-serif;max-width:50em;margin:4em auto;padding:0 1em}td{padding-right:2em}</style></head>\n\
    <body><h1>Your Durable Functions host is up and running.</h1>\n";
const END: &str = "</body></html>\n";

/// The page, or 204 where a setting says that there is none.
pub(super) fn page(shared: &Shared) -> HttpResponse {
    if !shared.settings.home_page {
        return HttpResponse::new(StatusCode::NO_CONTENT);
    }
    let mut page = HEAD.to_owned();
    if !shared.auth {
        page.push_str("<p>No keys are asked for: this is for development.</p>\n<table>\n");
        shared
            .functions
            .iter()
            .for_each(|listed| page.push_str(&row(listed)));
        page.push_str("</table>\n<p><a href=\"/admin/openapi.json\">OpenAPI</a></p>\n");
    }
    page.push_str(END);
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((
            CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'",
        ))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(page)
}

fn row(listed: &Listed) -> String {
    let (methods, route) = listed.http.as_ref().map_or_else(Default::default, |http| {
        let all = http.methods.is_empty().then(|| "ALL".to_owned());
        (
            all.unwrap_or_else(|| http.methods.join(", ")),
            http.route.clone(),
        )
    });
    let cells = [&*listed.name, listed.trigger, &methods, &route].map(escaped);
    format!("<tr><td>{}</td></tr>\n", cells.join("</td><td>"))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_text() {
        let listed = Listed {
            disabled: false,
            versions: Vec::new(),
            timer: None,
            name: "<b>&\"".to_owned(),
            trigger: "activityTrigger",
            http: None,
        };
        assert!(
            row(&listed).starts_with("<tr><td>&lt;b&gt;&amp;&quot;</td><td>activityTrigger</td>")
        );
    }
}
