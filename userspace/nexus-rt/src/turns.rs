//! Which thread asks for an interface, and who waits for what comes of it.
//!
//! init keeps one waiting question of a program for each way, and takes a second one for a sign that the first was given up.
//! So threads that look for the same service must not ask at once: each would take the other's place without end.

use alloc::vec::Vec;

use nexus_abi::{Error, Handle, Name};

/// The interfaces that somebody asks for now, each with the notifications of those who wait.
pub(crate) struct Turns(Vec<(Name, Vec<Handle>)>);

impl Turns {
    /// Nobody asks.
    pub(crate) const fn none() -> Turns {
        Turns(Vec::new())
    }

    /// Nothing: it is the caller's turn, until [`Turns::end`]. Else what to wait for, made by `bell`, while another asks.
    pub(crate) fn take(
        &mut self,
        name: Name,
        bell: impl FnOnce() -> Result<Handle, Error>,
    ) -> Result<Option<Handle>, Error> {
        match self.0.iter_mut().find(|(asked, _)| *asked == name) {
            None => {
                self.0.push((name, Vec::new()));
                Ok(None)
            }
            Some((_, waiting)) => {
                let bell = bell()?;
                waiting.push(bell);
                Ok(Some(bell))
            }
        }
    }

    /// Ends the caller's turn; answers who waited meanwhile.
    pub(crate) fn end(&mut self, name: Name) -> Vec<Handle> {
        let at = self.0.iter().position(|(asked, _)| *asked == name);
        at.map_or_else(Vec::new, |at| self.0.swap_remove(at).1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::new(text).expect("a short name")
    }

    fn bell(number: u64) -> Handle {
        Handle::from_raw(number << 58 | 1).expect("a handle")
    }

    #[test]
    fn one_asks_and_the_others_are_told_when_that_is_over() {
        let mut turns = Turns::none();
        let unneeded = || -> Result<Handle, Error> { panic!("whose turn it is waits for nobody") };
        assert_eq!(turns.take(name("timer"), unneeded), Ok(None));
        assert_eq!(turns.take(name("timer"), || Ok(bell(1))), Ok(Some(bell(1))));
        assert_eq!(turns.take(name("timer"), || Ok(bell(2))), Ok(Some(bell(2))));
        assert_eq!(turns.take(name("logs"), unneeded), Ok(None), "another interface is another turn");

        assert_eq!(turns.end(name("timer")), [bell(1), bell(2)]);
        assert_eq!(turns.take(name("timer"), unneeded), Ok(None), "of those who were told one may ask");
        assert_eq!(turns.take(name("logs"), || Ok(bell(3))), Ok(Some(bell(3))));
    }

    #[test]
    fn who_has_nothing_to_wait_with_waits_not() {
        let mut turns = Turns::none();
        assert_eq!(turns.take(name("timer"), || Ok(bell(1))), Ok(None));
        assert_eq!(turns.take(name("timer"), || Err(Error::OverLimit)), Err(Error::OverLimit));
        assert!(turns.end(name("timer")).is_empty());
        assert!(turns.end(name("timer")).is_empty(), "it has ended");
    }
}
