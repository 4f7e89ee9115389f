//! [`Timetable`]: the timer functions of a program with their schedules, as the settings have them.

use std::sync::Arc;

use super::schedule::Schedule;
use super::zone::Zone;
use crate::disabled::is_disabled;
use crate::registry::{Fault, Registry, Timer};

/// The setting that names the time zone.
const ZONE: &str = "WEBSITE_TIME_ZONE";

/// The timer functions that a hub runs; none by default.
#[derive(Debug, Clone, Default)]
pub struct Timetable(Arc<[ScheduledTimer]>);

/// A timer function and when it runs.
#[derive(Debug, Clone)]
pub struct ScheduledTimer {
    /// The function.
    pub timer: Timer,
    /// When it runs.
    pub schedule: Schedule,
    /// Whether the settings keep it from running: `AzureWebJobs.<name>.Disabled`.
    pub disabled: bool,
}

impl Timetable {
    /// Reads the schedules of all timer functions. `setting` gives the value of a setting: those in `%NAME%`, `WEBSITE_TIME_ZONE` and
    /// `AzureWebJobs.<name>.Disabled` are asked for.
    ///
    /// # Errors
    /// All faults together: a setting that is not there, a schedule or a time zone that is malformed.
    pub fn of(
        registry: &Registry,
        setting: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Vec<Fault>> {
        let (timers, faults) = Self::readable(registry, setting);
        if faults.is_empty() {
            Ok(timers)
        } else {
            Err(faults)
        }
    }

    /// The same, without those whose schedules are at fault.
    pub(crate) fn readable(
        registry: &Registry,
        setting: impl Fn(&str) -> Option<String>,
    ) -> (Self, Vec<Fault>) {
        let mut faults = Vec::new();
        let zone = zone(&setting).unwrap_or_else(|fault| {
            faults.extend(registry.timers().next().map(|_| fault));
            Zone::default()
        });
        let mut timers = Vec::new();
        for timer in registry.timers() {
            match read(timer, zone, &setting) {
                Ok(scheduled) => timers.push(scheduled),
                Err(fault) => faults.push(fault),
            }
        }
        (Self(timers.into()), faults)
    }

    /// Each of them, sorted by name without case.
    pub fn iter(&self) -> impl Iterator<Item = &ScheduledTimer> {
        self.0.iter()
    }
}

fn zone(setting: impl Fn(&str) -> Option<String>) -> Result<Zone, Fault> {
    let named = setting(ZONE).filter(|name| !name.trim().is_empty());
    let zone = named.map_or(Ok(Zone::default()), |name| name.parse());
    zone.map_err(|fault: String| Fault(format!("the setting `{ZONE}` is {fault}")))
}

fn read(
    timer: &Timer,
    zone: Zone,
    setting: impl Fn(&str) -> Option<String>,
) -> Result<ScheduledTimer, Fault> {
    let disabled = is_disabled(timer.name, &setting);
    let written = timer.spec.schedule;
    let (text, names) = resolve(written, &setting).map_err(|name| {
        Fault(format!(
            "the timer function `{}` has the schedule `{written}`, but there is no setting `{name}`: give it, as an environment variable or in local.settings.json",
            timer.name
        ))
    })?;
    let schedule = Schedule::parse(&text, zone).map_err(|fault| {
        let origin = match names.as_slice() {
            [] => String::new(),
            [name] => format!(" of the setting `{name}`"),
            names => format!(" of the settings `{}`", names.join("`, `")),
        };
        Fault(format!(
            "the timer function `{}` has the schedule `{text}`{origin}: {fault}",
            timer.name
        ))
    })?;
    Ok(ScheduledTimer {
        timer: *timer,
        schedule,
        disabled,
    })
}

/// The text with every `%NAME%` replaced, and the names.
fn resolve(
    text: &str,
    setting: impl Fn(&str) -> Option<String>,
) -> Result<(String, Vec<String>), String> {
    let mut parts = text.split('%');
    let mut resolved = parts.next().unwrap_or_default().to_owned();
    let mut names = Vec::new();
    while let Some(name) = parts.next() {
        let Some(after) = parts.next() else {
            // A single percent sign is itself, and no schedule.
            resolved.push('%');
            resolved.push_str(name);
            break;
        };
        let value = setting(name).filter(|value| !value.trim().is_empty());
        resolved.push_str(&value.ok_or_else(|| name.to_owned())?);
        resolved.push_str(after);
        names.push(name.to_owned());
    }
    Ok((resolved, names))
}
