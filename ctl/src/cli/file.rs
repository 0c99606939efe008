//! The arguments of the verbs about service files.

use clap::Args;

use crate::texts::service_file;

// Arguments of `cat` and `edit`.
#[derive(Debug, Args)]
pub struct ServiceFile {
    /// Name of the service
    #[arg(default_value = crate::reference::NAME)]
    pub name: String,
}

// Arguments of `help`.
#[derive(Debug, Args)]
pub struct Help {
    /// A verb, or service-file
    #[arg(value_name = "VERB|service-file")]
    pub topic: Option<String>,
}

impl Help {
    /// The topic that is no verb.
    pub fn is_service_file(topic: &str) -> bool {
        topic == "service-file" || topic == service_file::PAGE
    }
}
