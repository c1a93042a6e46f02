//! A tagline that goes on
//! over a second line.
