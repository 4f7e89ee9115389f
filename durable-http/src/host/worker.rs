//! [`Worker`]: what one worker thread reaches its host by.

use std::ops::Deref;
use std::rc::Rc;

use actix_web::web;

use super::Shared;

/// What one worker thread reaches its host by. A request clones it without writing to anything that other threads read.
#[derive(Debug, Clone)]
pub(crate) struct Worker(Rc<web::Data<Shared>>);

impl Worker {
    pub(crate) fn new(shared: web::Data<Shared>) -> Self {
        Self(Rc::new(shared))
    }
}

impl Deref for Worker {
    type Target = web::Data<Shared>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}
