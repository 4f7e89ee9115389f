//! [`Configure`]: plain actix-web of the application's own.

use actix_web::web::ServiceConfig;

/// A closure for `actix_web::App::configure`, which every worker gets a copy of: it need not be `Sync`.
pub(super) trait Configure: Send {
    fn apply(&self, config: &mut ServiceConfig);
    fn copied(&self) -> Box<dyn Configure>;
}

impl<F: Fn(&mut ServiceConfig) + Clone + Send + 'static> Configure for F {
    fn apply(&self, config: &mut ServiceConfig) {
        self(config);
    }

    fn copied(&self) -> Box<dyn Configure> {
        Box::new(self.clone())
    }
}

impl Clone for Box<dyn Configure> {
    fn clone(&self) -> Self {
        (**self).copied()
    }
}
