//! Beyond four gibibytes and 65,535 files.
