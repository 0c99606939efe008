//! A connection as a state machine: the form of a service that the *event* model can drive. Nothing here waits.

/// What a session wants after it was called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// More bytes of the peer.
    Read,
    /// To be called again with [`Session::drained`] when all that was written has gone out: for services that
    /// produce more than they read.
    Drain,
    /// The connection closed when all that was written has gone out.
    Close,
}

/// One connection of a service, without a thread or process of its own.
///
/// A call must not block: all other connections of the process wait meanwhile. What is appended to `output` is sent as
/// fast as the peer takes it; while it does not, nothing is read from him, so that he cannot fill the memory.
pub trait Session: Send {
    /// The connection is there.
    fn begin(&mut self, output: &mut Vec<u8>) -> Next {
        let _ = output;
        Next::Read
    }

    /// `input` has arrived; all of it is taken.
    fn input(&mut self, input: &[u8], output: &mut Vec<u8>) -> Next;

    /// The peer will send no more.
    fn end(&mut self, output: &mut Vec<u8>) -> Next {
        let _ = output;
        Next::Close
    }

    /// The server wants to end. A connection without anything in flight is closed by the model, and the others when their
    /// time is over: this is for sessions that would never come to an end by themselves.
    fn stop(&mut self) {}

    /// All that was written has gone out; called after [`Next::Drain`].
    fn drained(&mut self, output: &mut Vec<u8>) -> Next {
        let _ = output;
        Next::Read
    }
}
