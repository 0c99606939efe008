//! recvmsg(2) on a datagram socket with SO_PASSCRED: the bytes, the sender as the kernel knows it, and the descriptors that came
//! along, each owned by somebody whatever else is wrong with the packet.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd, RawFd};
use std::ptr;

/// The most descriptors that one packet can carry: SCM_MAX_FD of the kernel.
const MOST: usize = 253;
/// Room for them and for the sender, in words, which align it as control messages want it.
const WORDS: usize = MOST / 2 + 16;

/// One packet.
#[derive(Debug)]
pub(crate) struct Packet {
    /// How many bytes of the buffer were filled.
    pub(crate) length: usize,
    /// The packet was longer than the buffer, or what came along did not fit.
    pub(crate) cut: bool,
    /// Process, user and group of the sender. The process is 0 for one outside our PID namespace.
    pub(crate) sender: Option<(i32, u32, u32)>,
    /// What came along, with close-on-exec.
    pub(crate) descriptors: Vec<OwnedFd>,
}

/// Takes one packet from `socket` without waiting.
pub(crate) fn receive(socket: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<Packet> {
    let mut control = [0_usize; WORDS];
    let mut part = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    // SAFETY: an all-zero msghdr is valid: it names no address, no buffer and no control messages.
    let mut header: libc::msghdr = unsafe { MaybeUninit::zeroed().assume_init() };
    header.msg_iov = &raw mut part;
    header.msg_iovlen = 1;
    header.msg_control = control.as_mut_ptr().cast();
    header.msg_controllen = size_of_val(&control) as _;
    let flags = libc::MSG_DONTWAIT | libc::MSG_CMSG_CLOEXEC;
    // SAFETY: the header points to the two buffers, which are as long as it says and live for the call.
    let length = unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut header, flags) };
    let length = usize::try_from(length).map_err(|_| io::Error::last_os_error())?;
    let (sender, descriptors) = attached(&header);
    let cut = header.msg_flags & (libc::MSG_TRUNC | libc::MSG_CTRUNC) != 0;
    Ok(Packet { length, cut, sender, descriptors })
}

/// What came along with a packet, of a header that recvmsg has filled. A cut list of descriptors is a valid list.
fn attached(header: &libc::msghdr) -> (Option<(i32, u32, u32)>, Vec<OwnedFd>) {
    let (mut sender, mut descriptors) = (None, Vec::new());
    // SAFETY: the header and the control buffer that it points to are as the kernel has left them, and the macros yield null
    // or a message that lies in the buffer with its head. The data is read unaligned, and no further than the message is long.
    unsafe {
        let empty = libc::CMSG_LEN(0) as usize;
        let mut message = libc::CMSG_FIRSTHDR(header);
        while let Some(head) = message.as_ref() {
            // By way of 64 bits: its type differs between C libraries.
            let length = (head.cmsg_len as u64 as usize).saturating_sub(empty);
            let data = libc::CMSG_DATA(message);
            match (head.cmsg_level, head.cmsg_type) {
                (libc::SOL_SOCKET, libc::SCM_CREDENTIALS) if length >= size_of::<libc::ucred>() => {
                    let who: libc::ucred = ptr::read_unaligned(data.cast());
                    sender = Some((who.pid, who.uid, who.gid));
                }
                (libc::SOL_SOCKET, libc::SCM_RIGHTS) => {
                    let numbers: *const RawFd = data.cast();
                    for index in 0..length / size_of::<RawFd>() {
                        // The kernel has just made these for us, so nobody else owns them.
                        descriptors.push(OwnedFd::from_raw_fd(ptr::read_unaligned(numbers.add(index))));
                    }
                }
                _ => {}
            }
            message = libc::CMSG_NXTHDR(header, message);
        }
    }
    (sender, descriptors)
}
