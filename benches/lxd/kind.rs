//! The kinds of client that are measured.

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// This crate through the tailnet, with a warm pool.
    Tailnet,
    /// This crate straight, with a warm pool.
    Warm,
    /// This crate straight, with a new client for each figure, as a command-line tool would have.
    Cold,
    Lxc,
    Pylxd,
}

impl Kind {
    pub(crate) const ALL: [Kind; 5] = [Kind::Tailnet, Kind::Warm, Kind::Cold, Kind::Lxc, Kind::Pylxd];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Tailnet => "this crate, by the tailnet",
            Kind::Warm => "this crate, straight",
            Kind::Cold => "this crate, straight, new client",
            Kind::Lxc => "`lxc`",
            Kind::Pylxd => "pylxd",
        }
    }
}
