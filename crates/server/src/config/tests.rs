//! What a configuration says, and what it must not say.

use super::*;

fn load(pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
    Config::load(None, pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
}

#[test]
fn nothing_configured_is_a_shop_on_this_machine() {
    let config = load(&[]).unwrap();
    assert_eq!(config.base_url, "http://127.0.0.1:8080");
    assert_eq!(config.database, "sqlite");
}

#[test]
fn the_environment_overrides_also_inside_sections() {
    let pairs = [
        ("HANDSEL_LISTEN", "127.0.0.1:9"),
        ("HANDSEL_SMTP__HOST", "mx.example.com"),
        ("HANDSEL_SMTP__PORT", "25"),
    ];
    let config = load(&pairs).unwrap();
    assert_eq!(config.listen, "127.0.0.1:9");
    assert_eq!(config.smtp.unwrap().port, 25);
}

#[test]
fn the_environment_reaches_a_store_by_its_name_and_may_bring_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.toml");
    let text = "[[stores]]\nname = \"cold-attic\"\nkind = \"directory\"\npath = \"/srv/a\"\n";
    std::fs::write(&path, text).unwrap();
    let pairs = [
        ("HANDSEL_STORES__COLD_ATTIC__PATH", "/srv/b"),
        ("HANDSEL_STORES__BUCKET__KIND", "s3"),
        ("HANDSEL_STORES__BUCKET__ENDPOINT", "https://s3.example"),
        ("HANDSEL_STORES__BUCKET__BUCKET", "shop"),
        ("HANDSEL_STORES__BUCKET__KEY_ID", "id"),
        ("HANDSEL_STORES__BUCKET__SECRET", "hunter2"),
    ];
    let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let config = Config::load(Some(&path), pairs.into_iter()).unwrap();

    let [attic, bucket] = &config.stores[..] else { panic!("{:?}", config.stores) };
    assert_eq!((attic.name.as_str(), attic.path.as_deref()), ("cold-attic", Some(Path::new("/srv/b"))));
    assert_eq!(bucket.secret_key().unwrap().expose(), "hunter2");
    assert!(!format!("{config:?}").contains("hunter2"));
}

#[test]
fn a_stores_secret_in_a_file_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.toml");
    let text = "[[stores]]\nname = \"a\"\nkind = \"s3\"\nendpoint = \"https://s3.example\"\n\
                bucket = \"b\"\nkey_id = \"k\"\nsecret = \"hunter2\"\n";
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let error = Config::load(Some(&path), std::iter::empty()).unwrap_err().to_string();
    assert!(error.contains("secret_file") && error.contains("chmod 600"), "{error}");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert!(Config::load(Some(&path), std::iter::empty()).is_ok());
}

#[test]
fn a_misspelled_name_is_an_error() {
    assert!(matches!(load(&[("HANDSEL_LISTN", "x")]), Err(ConfigError::Malformed { .. })));
}

#[test]
fn a_secret_that_others_can_read_is_refused_with_the_remedy() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    std::fs::write(&path, "hunter2\n").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let error = secret_file("smtp.password_file", &path).unwrap_err();
    assert!(error.to_string().contains("chmod 600"), "{error}");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(secret_file("smtp.password_file", &path).unwrap().expose(), "hunter2");
}
