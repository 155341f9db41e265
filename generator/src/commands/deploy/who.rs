//! Who begins a run, as another run that finds the cell held should read it.
#![expect(clippy::disallowed_methods, reason = "shell: the surroundings are asked once, here")]

use std::env::var;

/// A pipeline's run, or a person at a machine.
pub(super) fn by() -> String {
    let set = |name: &str| var(name).ok().filter(|it| !it.is_empty());
    let github = || {
        let (server, repository) = (set("GITHUB_SERVER_URL")?, set("GITHUB_REPOSITORY")?);
        Some(format!("{server}/{repository}/actions/runs/{}", set("GITHUB_RUN_ID")?))
    };
    let pipeline = github().or_else(|| set("CI_JOB_URL")).or_else(|| set("BUILD_URL"));
    pipeline.unwrap_or_else(|| {
        let user = set("USER").or_else(|| set("LOGNAME")).unwrap_or_else(|| "somebody".to_owned());
        let host = set("HOSTNAME").or_else(host).unwrap_or_else(|| "some machine".to_owned());
        format!("{user} at {host}")
    })
}

/// The machine's name, as Linux has it.
fn host() -> Option<String> {
    let name = crate::files::load(std::path::Path::new("/proc/sys/kernel/hostname")).ok()?;
    Some(String::from_utf8_lossy(&name).trim().to_owned()).filter(|it| !it.is_empty())
}
