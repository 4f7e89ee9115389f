//! [`Stop`]: what tells one delivery of an activity to stop.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

/// A cancellation token that is made when somebody asks for it: most activities never do. Clones are one and the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stop(Arc<Mutex<State>>);

#[derive(Debug, Default)]
enum State {
    #[default]
    Unasked,
    /// Fired before anybody asked.
    Fired,
    Asked(CancellationToken),
}

impl Stop {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fires.
    pub(crate) fn cancel(&self) {
        let mut state = self.lock();
        if let State::Asked(token) = &*state {
            let token = token.clone();
            drop(state);
            // Whoever is woken may ask again.
            return token.cancel();
        }
        *state = State::Fired;
    }

    /// Whether it has fired.
    pub(crate) fn is_cancelled(&self) -> bool {
        match &*self.lock() {
            State::Unasked => false,
            State::Fired => true,
            State::Asked(token) => token.is_cancelled(),
        }
    }

    /// As a token.
    pub(crate) fn token(&self) -> CancellationToken {
        let state = &mut *self.lock();
        if let State::Asked(token) = state {
            return token.clone();
        }
        let token = CancellationToken::new();
        if matches!(state, State::Fired) {
            token.cancel();
        }
        *state = State::Asked(token.clone());
        token
    }
}

impl From<CancellationToken> for Stop {
    fn from(token: CancellationToken) -> Self {
        Self(Arc::new(Mutex::new(State::Asked(token))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_fires_whether_it_is_asked_for_before_or_after() {
        let stop = Stop::default();
        let early = stop.token();
        assert!(!early.is_cancelled() && !stop.is_cancelled());
        stop.clone().cancel();
        assert!(early.is_cancelled() && stop.is_cancelled() && stop.token().is_cancelled());

        let stop = Stop::default();
        stop.cancel();
        assert!(stop.is_cancelled() && stop.token().is_cancelled());
    }

    #[test]
    fn token_that_was_given_is_the_one_that_is_asked_for() {
        let token = CancellationToken::new();
        let stop = Stop::from(token.clone());
        token.cancel();
        assert!(stop.is_cancelled() && stop.token().is_cancelled());
    }
}
