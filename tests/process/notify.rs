//! A notification socket and what is sent to it: by the service, by another user, too long, with descriptors, in floods.

use std::fs;
use std::io::{ErrorKind, IoSlice, Read as _};
use std::os::fd::{AsFd as _, AsRawFd as _, RawFd};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::{Path, PathBuf};
use std::process::Command;

use foobar_process::notify::{Datagram, LONGEST, Message, Reach, Receiver};
use foobar_process::{Gid, Pid, Uid};
use foobar_tests::{Sandbox, skip, until};
use nix::sys::socket::{ControlMessage, MsgFlags, UnixAddr, sendmsg};

use crate::program::LIMIT;

fn bound(name: &str) -> (Sandbox, PathBuf, Receiver) {
    let sandbox = Sandbox::new(name);
    let path = sandbox.path().join("notify");
    let receiver = Receiver::bind(&path, Reach::Everybody).unwrap();
    (sandbox, path, receiver)
}

fn send(path: &Path, text: &[u8]) {
    UnixDatagram::unbound().unwrap().send_to(text, path).unwrap();
}

fn send_with(path: &Path, text: &[u8], descriptors: &[RawFd]) {
    let socket = UnixDatagram::unbound().unwrap();
    let along = [ControlMessage::ScmRights(descriptors)];
    let address = UnixAddr::new(path).unwrap();
    sendmsg(socket.as_raw_fd(), &[IoSlice::new(text)], &along, MsgFlags::empty(), Some(&address)).unwrap();
}

fn next(receiver: &Receiver) -> Datagram {
    until("a datagram", LIMIT, || receiver.receive().unwrap())
}

fn open_descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

#[test]
fn the_kernel_names_the_sender() {
    let (_sandbox, path, receiver) = bound("notify-sender");
    assert!(receiver.receive().unwrap().is_none(), "nothing waits, and nobody is waited for");
    send(&path, b"READY=1\nSTATUS=up");
    let heard = next(&receiver);
    let sender = heard.sender.unwrap();
    assert_eq!((sender.pid, sender.uid), (Pid::this(), Uid::effective()));
    assert_eq!(heard.messages, [Message::Ready, Message::Status("up".to_owned())]);
    assert!(!heard.malformed && heard.descriptors.is_empty());
    drop(receiver);
    assert!(!path.exists());
}

#[test]
fn another_user_is_known_as_such_or_kept_out() {
    if !Uid::effective().is_root() {
        return skip("needs root, to send as another user");
    }
    let (sandbox, path, receiver) = bound("notify-user");
    fs::set_permissions(sandbox.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let forge = |path: &Path| {
        let script = "printf READY=1 | socat -u - UNIX-SENDTO:$0";
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "sh", "-c", script]).arg(path);
        command.stderr(std::process::Stdio::null()).status().unwrap().success()
    };
    assert!(forge(&path), "the socket is for everybody");
    assert_eq!(next(&receiver).sender.unwrap().uid, Uid::from_raw(65534));
    drop(receiver);
    let receiver = Receiver::bind(&path, Reach::Owner(Uid::from_raw(1), Gid::from_raw(1))).unwrap();
    assert!(!forge(&path), "the socket is for user 1 alone");
    assert!(receiver.receive().unwrap().is_none());
}

#[test]
fn a_barrier_is_told_by_a_closed_descriptor() {
    let (_sandbox, path, receiver) = bound("notify-barrier");
    let (mut near, far) = UnixStream::pair().unwrap();
    near.set_nonblocking(true).unwrap();
    send_with(&path, b"BARRIER=1", &[far.as_raw_fd()]);
    drop(far);
    let heard = next(&receiver);
    assert_eq!(heard.messages, [Message::Barrier]);
    let kept = near.read(&mut [0]).unwrap_err();
    assert_eq!(kept.kind(), ErrorKind::WouldBlock, "it is held until the datagram has been dealt with");
    drop(heard);
    // The program of another test that is being started just now has a copy for a moment.
    near.set_nonblocking(false).unwrap();
    near.set_read_timeout(Some(LIMIT)).unwrap();
    assert_eq!(near.read(&mut [0]).unwrap(), 0);
}

#[test]
fn what_is_too_long_says_nothing() {
    let (_sandbox, path, receiver) = bound("notify-long");
    for length in [LONGEST, LONGEST + 1, 100_000] {
        let mut text = b"READY=1\n".to_vec();
        text.resize(length, b'x');
        send(&path, &text);
        let heard = next(&receiver);
        assert_eq!(heard.malformed, length > LONGEST, "{length}");
        assert_eq!(heard.messages.is_empty(), length > LONGEST, "{length}");
    }
    send(&path, b"");
    assert!(next(&receiver).messages.is_empty());
}

#[test]
fn no_descriptor_stays_behind() {
    let (_sandbox, path, receiver) = bound("notify-descriptors");
    let (one, _other) = UnixStream::pair().unwrap();
    let most = vec![one.as_raw_fd(); 253];
    let before = open_descriptors();
    for text in [b"FDSTORE=1".to_vec(), b"\0FDSTORE=1".to_vec(), vec![b'x'; LONGEST + 1]] {
        send_with(&path, &text, &most);
        assert_eq!(next(&receiver).descriptors.len(), 253);
        // Other tests of this process open descriptors meanwhile, but not so many.
        until("all to be closed", LIMIT, || (open_descriptors() < before + 200).then_some(()));
    }
}

#[test]
fn a_flood_is_taken_one_by_one() {
    let (_sandbox, path, receiver) = bound("notify-flood");
    let flood = std::thread::spawn({
        let path = path.clone();
        move || {
            let socket = UnixDatagram::unbound().unwrap();
            for _ in 0..5_000 {
                socket.send_to(b"STATUS=x", &path).unwrap();
            }
            socket.send_to(b"READY=1", &path).unwrap();
        }
    });
    let mut count = 0;
    loop {
        let heard = next(&receiver);
        if heard.messages == [Message::Ready] {
            break;
        }
        count += 1;
    }
    assert_eq!(count, 5_000);
    flood.join().unwrap();
}

#[test]
fn what_a_predecessor_left_is_replaced_and_nothing_else() {
    let sandbox = Sandbox::new("notify-left");
    let path = sandbox.path().join("notify");
    drop(UnixDatagram::bind(&path).unwrap());
    let receiver = Receiver::bind(&path, Reach::Everybody).unwrap();
    assert!(receiver.as_fd().as_raw_fd() > 2);
    let file = sandbox.path().join("file");
    fs::write(&file, "kept").unwrap();
    let refused = Receiver::bind(&file, Reach::Everybody).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::AlreadyExists);
    assert_eq!(fs::read_to_string(&file).unwrap(), "kept");
}
