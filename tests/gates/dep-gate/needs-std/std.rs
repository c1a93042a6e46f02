//! A library that needs std; no_std in a comment is none.
use std::fs;
