//! What starts MiniStack, the emulator of every other service: a script and its requirements.
//!
//! Whoever rehearses writes both into a folder, makes a virtual environment of the requirements,
//! and runs the script with these variables:
//!
//! - `GATEWAY_PORT` and `BIND_HOST`: where it listens; `BIND_HOST` is 127.0.0.1 when not given;
//! - `AWS_ENDPOINT_URL_KINESIS_VIDEO`: this service, where streams and endpoints are made and what
//!   subscribers get is recorded.

/// The start-up script, `start.py`.
pub const START: &str = include_str!("../ministack/start.py");

/// Every Python package with its version, `requirements.txt`.
pub const REQUIREMENTS: &str = include_str!("../ministack/requirements.txt");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_is_for_the_version_that_is_installed() {
        let version = START
            .lines()
            .find_map(|it| it.strip_prefix("MINISTACK_VERSION = \"")?.strip_suffix('"'))
            .unwrap();
        assert!(REQUIREMENTS.lines().any(|it| it == format!("ministack=={version}")));
    }

    #[test]
    fn every_requirement_is_exact() {
        assert!(REQUIREMENTS.lines().all(|it| it.split("==").count() == 2));
    }
}
