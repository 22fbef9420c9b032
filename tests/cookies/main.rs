//! Tokens in cookies: how they are handed out, and what must not be done with them.

mod attacks;
mod browser;
mod stream;
mod transports;
