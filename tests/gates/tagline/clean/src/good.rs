//! What an endpoint is: where callers wait for a server.
//!
//! The queue lives in the endpoint, so that waiting needs no memory.
