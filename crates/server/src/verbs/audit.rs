//! `handsel audit`

use app::audit::{self, Depth, Outcome, Verdict};

use super::{Desk, VerbError};

/// How thoroughly.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Read and hash every content too. Takes as long as reading the disk.
    #[arg(long)]
    deep: bool,
    /// Only this check, such as I4; may be given several times.
    #[arg(long, value_name = "CHECK")]
    only: Vec<String>,
}

/// Runs the checks and tells what they found. `false`: some promise is broken.
pub fn run(desk: &Desk, options: Options) -> Result<bool, VerbError> {
    if let Some(unknown) =
        options.only.iter().find(|wanted| audit::CHECKS.iter().all(|check| check.id != **wanted))
    {
        let known: Vec<&str> = audit::CHECKS.iter().map(|check| check.id).collect();
        return Err(VerbError::Usage(format!(
            "--only: there is no check \"{unknown}\"; there are {}",
            known.join(", ")
        )));
    }
    let depth = if options.deep { Depth::Contents } else { Depth::Sizes };
    let wanted = audit::Options { depth, only: options.only, ..audit::Options::default() };
    let report = audit::run(desk.app.db(), &**desk.app.blobs(), desk.app.now(), &wanted)?;
    let values: Vec<_> = report.checks.iter().map(|check| serde_json::json!(check)).collect();
    let rows: Vec<_> = report.checks.iter().flat_map(rows).collect();
    desk.output.list(&["CHECK", "VERDICT", "PROMISE"], &rows, &values);
    Ok(report.is_clean())
}

fn rows(check: &Outcome) -> Vec<Vec<String>> {
    let verdict = match check.verdict {
        Verdict::Held => "held",
        Verdict::Broken => "BROKEN",
        Verdict::NotApplicable => "-",
    };
    let mut rows = vec![vec![check.id.to_owned(), verdict.to_owned(), check.title.to_owned()]];
    for one in &check.violations {
        rows.push(vec![String::new(), String::new(), format!("{}: {}", one.rows.join(", "), one.text)]);
    }
    rows
}
