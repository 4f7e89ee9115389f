//! Keys of a running host, through its administration API.

use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde::Deserialize;

use super::failure::Failure;
use super::keys::Value;
use super::remote::Remote;
use crate::keys::{Scope, Secret};

impl Remote {
    pub(super) async fn keys(&self, scope: &Scope) -> Result<Vec<Value>, Failure> {
        #[derive(Deserialize)]
        struct List {
            keys: Vec<Value>,
        }
        if *scope == Scope::Master {
            let request = self.request(Method::GET, &key_path(scope, Some("_master")))?;
            return Ok(vec![self.read(self.send(request, "").await?).await?]);
        }
        let request = self.request(Method::GET, &key_path(scope, None))?;
        Ok(self.read::<List>(self.send(request, "").await?).await?.keys)
    }

    pub(super) async fn renew_key(&self, scope: &Scope, name: &str) -> Result<Value, Failure> {
        let request = self.request(Method::POST, &key_path(scope, Some(name)))?;
        self.read(self.key(request, name).await?).await
    }

    pub(super) async fn set_key(
        &self,
        scope: &Scope,
        name: &str,
        value: &Secret,
    ) -> Result<Value, Failure> {
        let request = self.request(Method::PUT, &key_path(scope, Some(name)))?;
        let request = request.json(&serde_json::json!({ "value": value.expose() }));
        self.read(self.key(request, name).await?).await
    }

    pub(super) async fn delete_key(&self, scope: &Scope, name: &str) -> Result<(), Failure> {
        let request = self.request(Method::DELETE, &key_path(scope, Some(name)))?;
        self.key(request, name).await.map(drop)
    }

    async fn key(&self, request: RequestBuilder, name: &str) -> Result<Response, Failure> {
        let response = self.answer(request).await?;
        match response.status() {
            StatusCode::NOT_FOUND => {
                let text = format!("there is no key `{name}`, or no such function");
                Err(Failure::refused(text))
            }
            _ => self.fine(response).await,
        }
    }
}

fn key_path<'a>(scope: &'a Scope, name: Option<&'a str>) -> Vec<&'a str> {
    let mut path = match scope {
        Scope::Function(function) => vec!["admin", "functions", function, "keys"],
        Scope::Host => vec!["admin", "host", "functionkeys"],
        Scope::System | Scope::Master => vec!["admin", "host", "systemkeys"],
    };
    path.extend(name);
    path
}
