//! What specs mean in a given tree.

use payload::{
    Attributes, Came, EntryKind, Fate, FileTree, Layout, Limits, MemoryTree, Problem, Resolution, Root, Spec,
    TreeError, TreePath, resolve,
};

const ROOT: &str = r"c:\payloadsource";

fn tree() -> MemoryTree {
    MemoryTree::new()
        .with("books2.zip", 2)
        .with("Books1.zip", 1)
        .with("books10.zip", 10)
        .with("readme.txt", 5)
        .with("Red/photo.jpg", 7)
        .with("blue/photo.jpg", 8)
        .with_entry("books3.zip", EntryKind::Link)
        .with_entry("bookshelf.zip", EntryKind::Folder)
}

fn at(tree: &dyn FileTree, spec: &str, layout: &Layout) -> Resolution {
    let spec = Spec::parse(spec).unwrap_or_else(|error| panic!("{}", error.pointed(spec)));
    let roots = [Root::new(ROOT, tree).expect("a root")];
    resolve(&spec, &roots, layout, Limits::default())
}

fn whole(spec: &str) -> Resolution {
    at(&tree(), spec, &Layout::FullPaths)
}

fn names(found: &Resolution) -> Vec<String> {
    found.files.iter().map(|file| file.path.to_string()).collect()
}

fn problem(found: &Resolution) -> Problem {
    found.problems().next().expect("a problem").1.clone()
}

fn below(choice: &str) -> Layout {
    let colors = Attributes::new(["Red", "Blue"].map(ToOwned::to_owned)).expect("two folders");
    Layout::by_attribute(ROOT, Some(colors.choose(choice).expect("a color"))).expect("a base")
}

#[test]
fn matches_come_in_alphabetical_order_without_regard_to_case() {
    let found = whole(r"C:\PayloadSource\BOOKS*.zip");
    assert_eq!(names(&found), ["Books1.zip", "books10.zip", "books2.zip"]);
    assert_eq!(found.bytes, 13);
    assert_eq!(found.outcomes[0].came, Came::Files(3));
}

#[test]
fn only_the_first_match_is_taken_and_the_others_are_told() {
    let found = whole(r"~c:\payloadsource\books*.zip");
    assert_eq!(names(&found), ["Books1.zip"]);
    let fates: Vec<Fate> = found.outcomes[0].considered.iter().map(|one| one.fate).collect();
    assert_eq!(fates, [Fate::Taken, Fate::NotFirst, Fate::NotFirst, Fate::Link, Fate::Folder]);
}

#[test]
fn an_alternative_is_taken_only_when_nothing_is_there_before() {
    let found =
        whole(r"c:\payloadsource\none*.zip,^c:\payloadsource\readme.txt,^c:\payloadsource\books2.zip");
    assert_eq!(names(&found), ["readme.txt"]);
    assert_eq!(found.outcomes[0].came, Came::Nothing);
    assert_eq!(found.outcomes[2].came, Came::Spared);

    let found =
        whole(r"c:\payloadsource\books2.zip,^c:\payloadsource\readme.txt,+c:\payloadsource\books10.zip");
    assert_eq!(names(&found), ["books2.zip", "books10.zip"]);
}

#[test]
fn a_folder_that_is_not_there_is_nothing_and_no_problem() {
    let found = whole(r"c:\payloadsource\gone\a.zip,^c:\payloadsource\readme.txt");
    assert_eq!(names(&found), ["readme.txt"]);
    let missing = found.outcomes[0].missing.as_ref().expect("told");
    assert_eq!(missing.path.to_string(), "gone");
}

#[test]
fn a_file_that_is_named_twice_is_delivered_once() {
    let found = whole(r"c:\payloadsource\books2.zip,c:\payloadsource\BOOKS2.ZIP");
    assert_eq!(names(&found), ["books2.zip"]);
    assert_eq!(found.outcomes[1].considered[0].fate, Fate::Repeated);
}

#[test]
fn a_link_is_never_followed() {
    let found = whole(r"c:\payloadsource\books3.zip");
    assert!(found.files.is_empty());
    assert_eq!(found.outcomes[0].considered[0].fate, Fate::Link);
}

#[test]
fn nothing_outside_the_roots_is_looked_at() {
    for spec in [r"c:\windows\win.ini", r"d:\payloadsource\books2.zip", "/payloadsource/books2.zip"] {
        assert!(matches!(problem(&whole(spec)), Problem::OutsideRoots(_)), "{spec}");
    }
    assert_eq!(problem(&whole("books2.zip")), Problem::Relative);
    let elsewhere = Layout::by_attribute(r"d:\goods", None).expect("a base");
    let told = problem(&at(&tree(), r"x\a*.zip", &elsewhere));
    assert_eq!(told, Problem::OutsideRoots("d:/goods/x/a*.zip".to_owned()), "base and all");
}

#[test]
fn a_store_with_a_base_directory_has_a_folder_per_choice() {
    let tree = tree();
    assert_eq!(names(&at(&tree, "photo.jpg", &below("RED"))), ["Red/photo.jpg"]);
    assert_eq!(names(&at(&tree, "*.*", &below("blue"))), ["blue/photo.jpg"]);
    let bare = Layout::by_attribute(ROOT, None).expect("a base");
    assert_eq!(names(&at(&tree, "readme.txt", &bare)), ["readme.txt"]);
}

#[test]
fn an_absolute_path_beside_a_base_directory_needs_its_prefix() {
    let tree = tree();
    let found = at(&tree, r"photo.jpg,%c:\payloadsource\readme.txt", &below("red"));
    assert_eq!(names(&found), ["Red/photo.jpg", "readme.txt"]);
    assert_eq!(problem(&at(&tree, r"c:\payloadsource\readme.txt", &below("red"))), Problem::Absolute);
}

#[test]
fn two_folders_of_a_choice_that_differ_by_case_are_an_error() {
    let tree = tree().with("RED/photo.jpg", 9);
    assert!(matches!(problem(&at(&tree, "photo.jpg", &below("red"))), Problem::Ambiguous { .. }));
}

#[test]
fn two_files_that_differ_by_case_are_an_error_unless_one_is_spelled_so() {
    let tree = tree().with("BOOKS2.zip", 3);
    assert_eq!(names(&at(&tree, r"c:\payloadsource\books2.zip", &Layout::FullPaths)), ["books2.zip"]);
    let found = at(&tree, r"c:\payloadsource\Books2.zip", &Layout::FullPaths);
    assert!(matches!(problem(&found), Problem::Ambiguous { .. }));
}

/// A disk that fails in one folder.
struct Failing(MemoryTree);

impl FileTree for Failing {
    fn list(&self, folder: &TreePath, most: usize) -> Result<Vec<payload::Entry>, TreeError> {
        if folder.name() == "Red" {
            return Err(TreeError::Unreadable { path: folder.clone(), why: "input/output error".to_owned() });
        }
        self.0.list(folder, most)
    }
}

#[test]
fn what_cannot_be_read_is_not_absent() {
    let tree = Failing(tree());
    let found = at(&tree, r"c:\payloadsource\Red\a.jpg,^c:\payloadsource\readme.txt", &Layout::FullPaths);
    assert!(found.files.is_empty(), "an alternative must not hide a failing disk");
    assert!(matches!(problem(&found), Problem::Tree(_)));
    assert_eq!(found.outcomes[1].came, Came::Held);
}

#[test]
fn a_payload_is_bounded_in_files_bytes_and_entries() {
    let tree = tree();
    let spec = Spec::parse(r"c:\payloadsource\books*.zip").expect("a spec");
    let roots = [Root::new(ROOT, &tree).expect("a root")];
    let within = |limits| problem(&resolve(&spec, &roots, &Layout::FullPaths, limits));
    assert_eq!(within(Limits { files: 2, ..Limits::default() }), Problem::Files(2));
    assert_eq!(within(Limits { bytes: 12, ..Limits::default() }), Problem::Bytes(12));
    assert_eq!(within(Limits { entries: 3, ..Limits::default() }), Problem::Entries(3));
}

#[test]
fn the_longest_root_has_the_file() {
    let (outer, inner) = (MemoryTree::new().with("in/a.zip", 1), MemoryTree::new().with("a.zip", 2));
    let spec = Spec::parse("/srv/goods/in/a.zip").expect("a spec");
    let roots = ["/srv/goods", "/srv/goods/in"].into_iter().zip([&outer, &inner]);
    let roots: Vec<Root<'_>> = roots.map(|(path, tree)| Root::new(path, tree).expect("a root")).collect();
    let found = resolve(&spec, &roots, &Layout::FullPaths, Limits::default());
    assert_eq!((found.files[0].root, found.bytes), (1, 2));
}

#[test]
fn two_roots_with_one_name_are_an_error() {
    let (one, other) = (MemoryTree::new().with("a.zip", 1), MemoryTree::new().with("a.zip", 2));
    let spec = Spec::parse("/srv/goods/a.zip").expect("a spec");
    let roots =
        [Root::new("/srv/goods", &one).expect("a root"), Root::new("/srv/Goods/", &other).expect("a root")];
    let found = resolve(&spec, &roots, &Layout::FullPaths, Limits::default());
    assert_eq!(problem(&found), Problem::TwoRoots("/srv/goods".to_owned(), "/srv/Goods".to_owned()));
}

#[test]
fn two_folders_that_differ_by_case_are_an_error_even_when_one_is_spelled_so() {
    let tree = tree().with("RED/photo.jpg", 9);
    for spec in [r"c:\payloadsource\Red\photo.jpg", r"c:\payloadsource\red\photo.jpg"] {
        assert!(matches!(problem(&at(&tree, spec, &Layout::FullPaths)), Problem::Ambiguous { .. }), "{spec}");
    }
}
