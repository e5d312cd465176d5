//! The page that users read: what it shows as examples is what the program does.

use payload::Spec;

/// The rows of the table under this heading, without the backquotes of its cells.
fn table(heading: &str) -> Vec<Vec<String>> {
    let page = include_str!("../../../../docs/PAYLOADS.md");
    let section = page.split("\n## ").find(|section| section.starts_with(heading)).expect("the heading");
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| row.trim_matches('|').split(" | ").map(cell).collect()).collect()
}

fn cell(text: &str) -> String {
    text.trim().trim_matches('`').to_owned()
}

#[test]
fn every_example_is_read_as_the_page_says() {
    let examples = table("By example");
    assert!(examples.len() > 20);
    for row in examples {
        let spec = Spec::parse(&row[0]).unwrap_or_else(|error| panic!("{}", error.pointed(&row[0])));
        assert_eq!(spec.to_string(), row[1], "{}", row[0]);
    }
}

#[test]
fn every_error_is_the_one_that_the_page_shows() {
    let errors = table("Errors");
    assert!(errors.len() > 15);
    for row in errors {
        assert_eq!(Spec::parse(&row[0]).expect_err(&row[0]).to_string(), row[1], "{}", row[0]);
    }
}

#[test]
fn an_error_stands_under_its_character() {
    let error = Spec::parse("ä.zip,,b").expect_err("a comma too many");
    let shown = error.pointed("ä.zip,,b");
    let (text, mark) = shown.split_once('\n').expect("two lines");
    assert_eq!((text, mark.find('^')), ("ä.zip,,b", Some(6)));
}
