//! The command `arm`.
fn main() {}
