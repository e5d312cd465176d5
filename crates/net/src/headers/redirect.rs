//! Where a browser may be sent after it brought a `next=`.

use url::Url;

/// Longer targets are nobody's.
const TARGET_BYTES_MAX: usize = 2048;

/// The target, if it is a path on this host and nothing but that.
///
/// Browsers forgive: they drop tabs, take `\` for `/`, and read `//host` as another site. So this
/// refuses whatever any of them, or a decoder in between, might read as anything but one plain
/// path, and asks the URL parser last.
pub fn local_path(target: &str) -> Option<&str> {
    let path = target.split(['?', '#']).next().unwrap_or_default();
    let visible = target.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let plain = path.starts_with('/') && !path.contains("//") && !has_dot_segments(path);
    if target.len() > TARGET_BYTES_MAX || !visible || !plain || hides_something(target) {
        return None;
    }
    let home = Url::parse("https://home.invalid/").ok()?;
    let reached = home.join(target).ok()?;
    (reached.origin() == home.origin() && reached.path() == path).then_some(target)
}

fn has_dot_segments(path: &str) -> bool {
    path.split('/').any(|segment| matches!(segment, "." | ".."))
}

/// Encoded control characters, spaces at the margin, slashes, backslashes, dots and percent signs.
fn hides_something(target: &str) -> bool {
    let path_end = target.find(['?', '#']).unwrap_or(target.len());
    target.match_indices('%').any(|(at, _)| {
        let Some(byte) = target.get(at + 1..at + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok()) else {
            return true;
        };
        let in_path = at < path_end;
        byte.is_ascii_control() || byte == b'\\' || (in_path && matches!(byte, b'/' | b'.' | b'%'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_this_host_are_targets() {
        for target in [
            "/",
            "/portal",
            "/portal/orders/ord_01?tab=files#top",
            "/admin/orders?q=a%20b&next=/x//y",
            "/m/shop-1/p/book_2~x",
            "/caf%C3%A9",
        ] {
            assert_eq!(local_path(target), Some(target));
        }
    }

    #[test]
    fn other_hosts_are_not_however_they_are_written() {
        for target in [
            "//evil",
            "///evil",
            "https:evil",
            "https://evil",
            "/\\evil",
            "\\\\evil",
            "/\\/evil",
            "https://shop.example.com@evil",
            "https://shop.example.com.evil",
            "javascript:alert(1)",
            "data:text/html,x",
            "/\t/evil",
            "\t//evil",
            " //evil",
            "/%09/evil",
            "/%5cevil",
            "/%5Cevil",
            "/%2fevil",
            "/%2F%2Fevil",
            "/%252fevil",
            "/..//evil",
            "/.//evil",
            "/x/../..//evil",
            "/%2e%2e//evil",
            "/%2e/evil",
            "/x//evil",
            "evil",
            "evil/x",
            "",
            "?x",
            "#x",
            "@evil",
            "/\u{ff0f}evil",
            "/\u{2028}evil",
        ] {
            assert_eq!(local_path(target), None, "{target:?}");
        }
    }

    #[test]
    fn a_target_cannot_break_into_the_headers() {
        for target in [
            "/x\r\nSet-Cookie: a=b",
            "/%0d%0aSet-Cookie:a=b",
            "/x?y=%0D%0ASet-Cookie:a",
            "/x#%00",
            "/x%",
            "/x%4",
            "/x%zz",
        ] {
            assert_eq!(local_path(target), None, "{target:?}");
        }
    }

    #[test]
    fn a_target_has_a_longest_length() {
        let longest = format!("/{}", "x".repeat(TARGET_BYTES_MAX - 1));
        assert_eq!(local_path(&longest), Some(longest.as_str()));
        assert_eq!(local_path(&format!("{longest}x")), None);
    }
}
