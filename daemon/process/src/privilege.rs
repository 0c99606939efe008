//! Giving up root: groups, gid, uid, in the one right order, and a look whether it happened; and what narrows a process
//! beyond that. Any error means that the process must end: it may be half way.

use std::ffi::CString;
use std::io;
use std::path::{Path, PathBuf};

use nix::sys::prctl::set_no_new_privs;
use nix::unistd::{
    Gid, Group, Uid, User, chdir, chroot, getgrouplist, getgroups, getresgid, getresuid, setgroups,
    setresgid, setresuid, setuid,
};

use crate::sys;

/// Why an account was not found or not assumed.
#[derive(Debug, thiserror::Error)]
pub enum PrivilegeError {
    /// No such user.
    #[error("user {0:?} does not exist: create it with adduser --system, or name another")]
    NoUser(String),
    /// No such group.
    #[error("group {0:?} does not exist: create it with addgroup --system, or name another")]
    NoGroup(String),
    /// A number, or nothing, where a name is wanted.
    #[error("{0:?} is not the name of a user or group: numbers are not accepted, write the name")]
    NotAName(String),
    /// Not root, and the account is another's.
    #[error("only root can become user {0:?}: start it as root, or take the user out of the configuration")]
    NotRoot(String),
    /// The user database could not be read.
    #[error("cannot look up {name:?}: {source}")]
    Database {
        /// The name.
        name: String,
        /// The error.
        source: io::Error,
    },
    /// A system call on the way failed.
    #[error("cannot become user {user:?}: {call}: {source}")]
    Call {
        /// The user.
        user: String,
        /// The call that failed.
        call: &'static str,
        /// Its error.
        source: io::Error,
    },
    /// The calls succeeded and yet the process is not what it should be.
    #[error("became user {user:?} but {what}")]
    NotVerified {
        /// The user.
        user: String,
        /// What is wrong.
        what: &'static str,
    },
}

/// A user with a primary group and supplementary groups, looked up before anything is given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    name: String,
    uid: Uid,
    gid: Gid,
    groups: Vec<Gid>,
    home: PathBuf,
    shell: PathBuf,
}

impl Account {
    /// Looks `user` up, with its own groups; `group`, if given, takes the place of the primary one. Names only: a number, or
    /// what looks like one, is refused, for `-1` and `4294967295` mean "unchanged" to the kernel.
    ///
    /// # Errors
    /// [`PrivilegeError`].
    pub fn lookup(user: &str, group: Option<&str>) -> Result<Account, PrivilegeError> {
        let text = name(user)?;
        let found = User::from_name(user).map_err(|error| database(user, error))?;
        let entry = found.ok_or_else(|| PrivilegeError::NoUser(user.to_owned()))?;
        let gid = match group {
            None => entry.gid,
            Some(group) => {
                name(group)?;
                let found = Group::from_name(group).map_err(|error| database(group, error))?;
                found.ok_or_else(|| PrivilegeError::NoGroup(group.to_owned()))?.gid
            }
        };
        let mut groups = getgrouplist(&text, gid).map_err(|error| database(user, error))?;
        groups.sort_unstable_by_key(|gid| gid.as_raw());
        groups.dedup();
        Ok(Account {
            name: user.to_owned(),
            uid: entry.uid,
            gid,
            groups,
            home: entry.dir,
            shell: entry.shell,
        })
    }

    /// The same for a service file, where names and numbers may stand, the user may be left out (then it is the one whose
    /// rights this process has), and groups be added.
    ///
    /// # Errors
    /// [`PrivilegeError`].
    pub fn of_service(
        user: Option<&str>,
        group: Option<&str>,
        more: &[String],
    ) -> Result<Account, PrivilegeError> {
        let number = |text: &str| text.parse::<u32>().ok().filter(|number| *number != u32::MAX);
        let entry = match user.map(|user| (user, number(user))) {
            None => by_number(Uid::effective(), "the caller")?,
            Some((user, Some(uid))) => by_number(Uid::from_raw(uid), user)?,
            Some((user, None)) => {
                name(user)?;
                let found = User::from_name(user).map_err(|error| database(user, error))?;
                found.ok_or_else(|| PrivilegeError::NoUser(user.to_owned()))?
            }
        };
        let group_of = |group: &String| match number(group) {
            Some(gid) => Ok(Gid::from_raw(gid)),
            None => {
                name(group)?;
                let found = Group::from_name(group).map_err(|error| database(group, error))?;
                found.map(|found| found.gid).ok_or_else(|| PrivilegeError::NoGroup(group.clone()))
            }
        };
        let gid = group.map(str::to_owned).as_ref().map_or(Ok(entry.gid), group_of)?;
        let text = name(&entry.name)?;
        let mut groups = getgrouplist(&text, gid).map_err(|error| database(&entry.name, error))?;
        for group in more {
            groups.push(group_of(group)?);
        }
        groups.sort_unstable_by_key(|gid| gid.as_raw());
        groups.dedup();
        Ok(Account { name: entry.name, uid: entry.uid, gid, groups, home: entry.dir, shell: entry.shell })
    }

    /// The home directory.
    #[must_use]
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// The login shell.
    #[must_use]
    pub fn shell(&self) -> &Path {
        &self.shell
    }

    /// The name of the user.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The user ID.
    #[must_use]
    pub fn uid(&self) -> Uid {
        self.uid
    }

    /// The primary group ID.
    #[must_use]
    pub fn gid(&self) -> Gid {
        self.gid
    }

    /// Becomes this account: supplementary groups, then gid, then uid, each as real, effective and saved one; then reads all
    /// back, and tries to become root again, which must fail. The parent-death signal is lost by it: see
    /// `child::Leash::renew`.
    ///
    /// For a process that is not root it succeeds if nothing has to change.
    ///
    /// # Errors
    /// [`PrivilegeError`]; the caller must end the process then.
    pub fn assume(&self) -> Result<(), PrivilegeError> {
        if !Uid::effective().is_root() {
            return if self.is_current().is_ok() {
                Ok(())
            } else {
                Err(PrivilegeError::NotRoot(self.name.clone()))
            };
        }
        setgroups(&self.groups).map_err(|error| self.call("setgroups", error))?;
        setresgid(self.gid, self.gid, self.gid).map_err(|error| self.call("setresgid", error))?;
        setresuid(self.uid, self.uid, self.uid).map_err(|error| self.call("setresuid", error))?;
        self.verify()
    }

    fn verify(&self) -> Result<(), PrivilegeError> {
        self.is_current()?;
        let mut groups = getgroups().map_err(|error| self.call("getgroups", error))?;
        groups.sort_unstable_by_key(|gid| gid.as_raw());
        if groups != self.groups {
            return Err(self.unverified("its supplementary groups are others"));
        }
        if !self.uid.is_root() && setuid(Uid::from_raw(0)).is_ok() {
            return Err(self.unverified("could become root again"));
        }
        Ok(())
    }

    fn is_current(&self) -> Result<(), PrivilegeError> {
        let uids = getresuid().map_err(|error| self.call("getresuid", error))?;
        if [uids.real, uids.effective, uids.saved] != [self.uid; 3] {
            return Err(self.unverified("its user IDs are others"));
        }
        let gids = getresgid().map_err(|error| self.call("getresgid", error))?;
        if [gids.real, gids.effective, gids.saved] != [self.gid; 3] {
            return Err(self.unverified("its group IDs are others"));
        }
        Ok(())
    }

    fn call(&self, call: &'static str, error: nix::Error) -> PrivilegeError {
        PrivilegeError::Call { user: self.name.clone(), call, source: error.into() }
    }

    fn unverified(&self, what: &'static str) -> PrivilegeError {
        PrivilegeError::NotVerified { user: self.name.clone(), what }
    }
}

/// Makes `directory` the root and the working directory of this process: chroot(2). What lies outside can be reached no
/// more, except by descriptors that are open. To be called before [`Account::assume`]: root finds a way out again.
///
/// # Errors
/// As chroot(2): only root may.
pub fn confine(directory: &Path) -> io::Result<()> {
    // The C library reads the time zone when it is first asked for a time, and inside there may be none.
    let _ = sys::local_time(0);
    chroot(directory)?;
    Ok(chdir("/")?)
}

/// Sees to it that no program executed by this process or its children gains rights by its set-user-ID bit or its
/// capabilities: PR_SET_NO_NEW_PRIVS(2const). It cannot be taken back.
///
/// # Errors
/// A kernel before 3.5.
pub fn no_new_privileges() -> io::Result<()> {
    Ok(set_no_new_privs()?)
}

fn by_number(uid: Uid, shown: &str) -> Result<User, PrivilegeError> {
    let found = User::from_uid(uid).map_err(|error| database(shown, error))?;
    found.ok_or_else(|| PrivilegeError::NoUser(format!("{shown} ({uid})")))
}

fn database(name: &str, error: nix::Error) -> PrivilegeError {
    PrivilegeError::Database { name: name.to_owned(), source: error.into() }
}

/// A name as it can stand in /etc/passwd: not empty, no number, no sign at its begin, none of the characters that
/// divide fields or paths.
fn name(text: &str) -> Result<CString, PrivilegeError> {
    let begins = text.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    let clean = !text.bytes().any(|byte| matches!(byte, b':' | b'/' | b',' | 0) || byte.is_ascii_control());
    match CString::new(text) {
        Ok(name) if begins && clean => Ok(name),
        _ => Err(PrivilegeError::NotAName(text.to_owned())),
    }
}
