"""The journal in SQLite: hash chain, group commit, snapshots, verification, retention and export."""
