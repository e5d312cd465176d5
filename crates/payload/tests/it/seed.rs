//! Every example of SendSafe's manual, against the files that it speaks of.

use payload::{Attributes, Came, Layout, Limits, MemoryTree, Root, Spec, resolve};

const SOURCE: &str = r"c:\payloadsource";

fn source() -> MemoryTree {
    let files = ["filename.exe", "filename_A.exe", "filename_B.exe", "filename_alt1.exe", "readme.txt"];
    let decals = ["AmericanFlagDecal{}.jpg", "Eagle.jpg"];
    let tree = files.into_iter().fold(MemoryTree::new(), |tree, name| tree.with(name, 1));
    ["Small", "medium", "LARGE"].into_iter().fold(tree, |tree, size| {
        decals
            .into_iter()
            .fold(tree, |tree, name| tree.with(&format!("{size}/{}", name.replace("{}", size)), 1))
    })
}

/// What each item comes to, in words.
fn told(spec: &str, layout: &Layout) -> Vec<String> {
    let tree = source();
    let spec = Spec::parse(spec).unwrap_or_else(|error| panic!("{}", error.pointed(spec)));
    let roots = [Root::new(SOURCE, &tree).expect("a root")];
    let found = resolve(&spec, &roots, layout, Limits::default());
    assert_eq!(found.problems().next(), None, "{spec}");
    let mut files = found.files.iter().map(|file| file.path.to_string());
    let outcomes = found.outcomes.iter().map(|outcome| match outcome.came {
        Came::Files(count) => files.by_ref().take(count).collect::<Vec<_>>().join(" "),
        Came::Elsewhere => "elsewhere".to_owned(),
        ref other => format!("{other:?}"),
    });
    outcomes.collect()
}

fn option_a(spec: &str) -> Vec<String> {
    told(spec, &Layout::FullPaths)
}

fn option_b(spec: &str, size: &str) -> Vec<String> {
    let sizes = Attributes::list("Large, Medium, Small").expect("three folders");
    told(spec, &Layout::by_attribute(SOURCE, sizes.choose(size)).expect("a base"))
}

#[test]
fn option_a_takes_whole_paths() {
    let all = "filename.exe filename_A.exe filename_alt1.exe filename_B.exe";
    let rows: [(&str, &[&str]); 8] = [
        (r"c:\payloadsource\filename.exe", &["filename.exe"]),
        (
            r"c:\payloadsource\filename_A.exe,+c:\payloadsource\filename_B.exe",
            &["filename_A.exe", "filename_B.exe"],
        ),
        (r"c:\payloadsource\filename*.exe", &[all]),
        (r"c:\payloadsource\filename*.exe,^c:\payloadsource\filename_alt*.exe", &[all, "Spared"]),
        (
            r"c:\payloadsource\nothing*.exe,^c:\payloadsource\filename_alt*.exe",
            &["Nothing", "filename_alt1.exe"],
        ),
        (r"~c:\payloadsource\filename*.exe", &["filename.exe"]),
        (r"%c:\payloadsource\readme.txt", &["readme.txt"]),
        (r"~%c:\payloadsource\filename_?.exe", &["filename_A.exe"]),
    ];
    for (spec, expected) in rows {
        assert_eq!(option_a(spec), expected, "{spec}");
    }
}

#[test]
fn what_others_hand_over_is_no_file() {
    for spec in [
        "@W8898",
        "#W8898",
        "FFPSOURCED!PDF!216.52.183.144!/!myuserid!mypassword",
        "FFPSOURCED!PNG!ftp.mycompany.com!MyDirectory!myuserid!mypassword",
        "FFPSOURCED!JPG!NONE",
    ] {
        assert_eq!(option_a(spec), ["elsewhere"], "{spec}");
    }
    assert_eq!(option_a("@W8898,+@W7655"), ["elsewhere", "elsewhere"]);
    assert_eq!(option_a("#W8898,+#W7655"), ["elsewhere", "elsewhere"]);
    assert_eq!(option_a(r"@W8898,^c:\payloadsource\readme.txt"), ["elsewhere", "Spared"]);
}

#[test]
fn option_b_has_a_folder_for_each_choice() {
    let rows = [
        ("Eagle.jpg", "small", "Small/Eagle.jpg"),
        ("Eagle.jpg", "MEDIUM", "medium/Eagle.jpg"),
        ("eagle.JPG", "Large", "LARGE/Eagle.jpg"),
        ("AmericanFlagDecal*.jpg", "Small", "Small/AmericanFlagDecalSmall.jpg"),
        ("AmericanFlagDecal*.jpg", "Medium", "medium/AmericanFlagDecalmedium.jpg"),
        ("~*.jpg", "large", "LARGE/AmericanFlagDecalLARGE.jpg"),
        (r"%c:\payloadsource\readme.txt", "small", "readme.txt"),
    ];
    for (spec, size, expected) in rows {
        assert_eq!(option_b(spec, size), [expected], "{spec} {size}");
    }
    assert_eq!(
        option_b(r"Eagle.jpg,+%c:\payloadsource\readme.txt", "small"),
        ["Small/Eagle.jpg", "readme.txt"]
    );
}
