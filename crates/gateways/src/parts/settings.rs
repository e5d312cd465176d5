//! Settings and secrets that mean the same at every gateway.

use kernel::Secret;

use crate::{ConfigProblem, Connection, Field, FieldKind, Mode};

/// Setting: another address of the gateway's API, for [`Mode::Test`] only: a simulator.
pub(crate) const ENDPOINT: &str = "endpoint";

/// Secret: what the gateway signs its posts with; several lines while it is being changed.
pub(crate) const WEBHOOK_SECRET: &str = "webhook_secret";

/// The field for [`ENDPOINT`], the same everywhere.
pub(crate) const ENDPOINT_FIELD: Field = Field {
    name: ENDPOINT,
    label: "Endpoint",
    help: "Another address than the gateway's sandbox, for tests against a simulator.",
    kind: FieldKind::Endpoint,
    required: false,
};

/// A setting without surrounding space; `None` when it is missing or empty.
pub(crate) fn setting<'a>(on: &'a Connection, name: &str) -> Option<&'a str> {
    on.settings.get(name).map(|text| text.trim()).filter(|text| !text.is_empty())
}

/// A secret; `None` when it is missing or empty.
pub(crate) fn secret<'a>(on: &'a Connection, name: &str) -> Option<&'a str> {
    on.secrets.get(name).map(|secret| secret.expose().trim()).filter(|text| !text.is_empty())
}

/// The lines of a secret that may have several, each of which counts.
pub(crate) fn secrets<'a>(on: &'a Connection, name: &str) -> impl Iterator<Item = &'a str> {
    let whole = on.secrets.get(name).map(Secret::expose).map_or("", String::as_str);
    whole.lines().map(str::trim).filter(|line| !line.is_empty())
}

/// The base address of an API, without a slash at its end. The mode alone decides: a live connection
/// is safe even if it was never checked.
pub(crate) fn base_url(on: &Connection, live: &str, test: &str) -> String {
    match (on.mode, setting(on, ENDPOINT)) {
        (Mode::Live, _) => live.to_owned(),
        (Mode::Test, Some(endpoint)) if url::Url::parse(endpoint).is_ok() => {
            endpoint.trim_end_matches('/').to_owned()
        }
        (Mode::Test, _) => test.to_owned(),
    }
}

/// What is missing or misplaced, by the fields alone.
pub(crate) fn check_fields(fields: &[Field], on: &Connection) -> Vec<ConfigProblem> {
    fields.iter().filter_map(|field| check_field(field, on)).collect()
}

/// The usual [`check`](crate::Gateway::check): the fields, and nothing more.
pub(crate) fn check(fields: &[Field], on: &Connection) -> Result<(), Vec<ConfigProblem>> {
    let problems = check_fields(fields, on);
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

fn check_field(field: &Field, on: &Connection) -> Option<ConfigProblem> {
    let value = if field.kind.is_secret() { secret(on, field.name) } else { setting(on, field.name) };
    let Some(value) = value else {
        return field.required.then(|| problem(field.name, "it is missing", field.help));
    };
    match field.kind {
        FieldKind::Endpoint => check_endpoint(field.name, value, on),
        FieldKind::Choice(words) if !words.contains(&value) => Some(problem(
            field.name,
            &format!("\"{value}\" is none of the choices"),
            &format!("choose one of {}", words.join(", ")),
        )),
        _ => None,
    }
}

fn check_endpoint(name: &str, value: &str, on: &Connection) -> Option<ConfigProblem> {
    if on.mode == Mode::Live {
        // Whoever answers there decides what counts as paid.
        return Some(problem(
            name,
            "a live connection asks nobody but the gateway",
            "remove it, or make the connection a test one",
        ));
    }
    let plain = url::Url::parse(value).ok().filter(|url| {
        let bare = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
        matches!(url.scheme(), "http" | "https") && url.has_host() && bare
    });
    let Some(url) = plain else {
        let remedy = "write it like http://127.0.0.1:8090, without user, query or fragment";
        return Some(problem(name, "it is not a plain URL", remedy));
    };
    let local = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    (url.scheme() == "http" && !local).then(|| {
        let text = "plain HTTP lets anybody on the way confirm payments";
        problem(name, text, "use https, or a loopback address")
    })
}

/// A problem in these words.
pub(crate) fn problem(field: &str, problem: &str, remedy: &str) -> ConfigProblem {
    ConfigProblem { field: field.to_owned(), problem: problem.to_owned(), remedy: remedy.to_owned() }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use kernel::ConnectionId;

    use super::*;

    fn on(mode: Mode, settings: &[(&str, &str)]) -> Connection {
        let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let secrets = BTreeMap::from([(WEBHOOK_SECRET.to_owned(), Secret::new(" new \n\nold\n".to_owned()))]);
        Connection { id: ConnectionId::from_bits(1), mode, settings: settings.collect(), secrets }
    }

    #[test]
    fn each_line_of_a_secret_counts() {
        let on = on(Mode::Live, &[]);
        assert_eq!(secrets(&on, WEBHOOK_SECRET).collect::<Vec<_>>(), ["new", "old"]);
        assert_eq!(secrets(&on, "another").count(), 0);
    }

    #[test]
    fn a_live_connection_asks_nobody_but_the_gateway() {
        let to = [(ENDPOINT, "http://127.0.0.1:1/")];
        assert_eq!(base_url(&on(Mode::Live, &to), "live", "test"), "live");
        assert_eq!(base_url(&on(Mode::Test, &to), "live", "test"), "http://127.0.0.1:1");
        assert_eq!(base_url(&on(Mode::Test, &[]), "live", "test"), "test");
        assert_eq!(check_fields(&[ENDPOINT_FIELD], &on(Mode::Live, &to)).len(), 1);
        assert!(check_fields(&[ENDPOINT_FIELD], &on(Mode::Test, &to)).is_empty());
    }

    #[test]
    fn only_loopback_is_asked_in_the_clear() {
        for (address, fine) in [
            ("http://[::1]:80", true),
            ("https://sandbox.example", true),
            ("http://sandbox.example", false),
            ("https://user@sandbox.example", false),
            ("https://sandbox.example/?x", false),
            ("sandbox.example", false),
        ] {
            let problems = check_fields(&[ENDPOINT_FIELD], &on(Mode::Test, &[(ENDPOINT, address)]));
            assert_eq!(problems.is_empty(), fine, "{address}: {problems:?}");
        }
    }
}
