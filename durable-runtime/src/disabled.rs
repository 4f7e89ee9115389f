//! `AzureWebJobs.<name>.Disabled`: functions that the settings keep from running.

/// Whether the settings disable the function of that name: the setting is `1` or `true`, in any case.
pub(crate) fn is_disabled(name: &str, setting: impl Fn(&str) -> Option<String>) -> bool {
    let value = setting(&format!("AzureWebJobs.{name}.Disabled"));
    value.is_some_and(|value| {
        let value = value.trim();
        value == "1" || value.eq_ignore_ascii_case("true")
    })
}
