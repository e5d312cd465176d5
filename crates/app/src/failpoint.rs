//! Named places where a test can kill the program.
//!
//! Only in builds with the feature `failpoints`: `HANDSEL_FAILPOINT=name` ends the process the
//! first time it passes there, as SIGKILL would, without unwinding or flushing.

/// Ends the process here when the environment says so; nothing at all in a shipped build.
#[macro_export]
macro_rules! failpoint {
    ($name:literal) => {
        #[cfg(feature = "failpoints")]
        $crate::failpoint::pass($name);
    };
}

/// Ends the process when this is the place that was named.
#[cfg(feature = "failpoints")]
pub fn pass(name: &str) {
    static NAMED: std::sync::OnceLock<Option<String>> = std::sync::OnceLock::new();
    let named = NAMED.get_or_init(|| std::env::var("HANDSEL_FAILPOINT").ok());
    if named.as_deref() == Some(name) {
        std::process::abort();
    }
}
