//! Exactly what generated code uses.

pub use inventory;

pub use crate::activity::ActivityContext;
pub use crate::client::DurableClient;
pub use crate::entity::{
    Entity, EntityCalls, EntityContext, EntityInvocation, EntityObject, EntityRef, EntitySignals,
    OperationTypes,
};
pub use crate::error::Error;
pub use crate::function::{
    Activity, ActivityInvocation, Fallible, IntoInput, NotResult, Orchestrator, ResultProbe,
    finish, finish_result, finish_unit,
};
pub use crate::model::Payload;
pub use crate::registry::{
    ActivityRun, ActivitySpec, EntitySpec, Kind, OrchestratorSpec, Rate, Registration, StateSpec,
    TimerRun, TimerSpec,
};
pub use crate::replay::OrchestrationContext;
pub use crate::state::State;
pub use crate::timer::{TimerInfo, TimerInvocation};
