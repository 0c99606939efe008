//! Where a tree keeps what its order follows from: scripts, links, configuration, overrides. Of a layout, or as
//! somebody has named them.

use foobar_initscripts::installed::Tier;
use foobar_initscripts::layout::Layout;
use foobar_initscripts::name::Runlevel;

/// Paths as the tree sees them; what is not there is empty.
#[derive(Debug, Clone)]
pub struct Sources {
    /// The directory of the scripts.
    pub scripts: String,
    /// The directories of links, in the order in which they are read.
    pub links: Vec<(Runlevel, String)>,
    /// insserv's own, where it is used.
    pub insserv: Option<Insserv>,
}

/// The files of insserv. insserv(8).
#[derive(Debug, Clone)]
pub struct Insserv {
    /// insserv.conf.
    pub conf: String,
    /// insserv.conf.d.
    pub fragments: String,
    /// Directories of headers that stand for those in scripts.
    pub overrides: [(Tier, String); 2],
    /// Extensions of files that are no scripts, one a line.
    pub filters: String,
}

impl Sources {
    /// Those of a layout.
    pub fn of(layout: &Layout) -> Sources {
        let insserv = layout.depend.as_ref().map(|depend| Insserv {
            conf: depend.conf.to_owned(),
            fragments: depend.conf_dir.to_owned(),
            overrides: [
                (Tier::Administrator, depend.overrides[0].to_owned()),
                (Tier::Vendor, depend.overrides[1].to_owned()),
            ],
            filters: depend.filters.to_owned(),
        });
        let links = layout.runlevels.iter().map(|level| (*level, layout.runlevel_dir(*level)));
        Sources { scripts: layout.script_dir.to_owned(), links: links.collect(), insserv }
    }
}
