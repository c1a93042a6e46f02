//! Calls that have no handler yet answer `ENOSYS`.

use crate::event::{Context, Stop, Verdict, serve::Serve};
use nexus_abi::{Error, syscall};

macro_rules! unbuilt {
    ($($name:ident)*) => {$(
        impl Serve for syscall::$name {
            fn serve(self, _: &Context) -> Verdict<Self::Output> {
                Err(Stop::Refuse(Error::NoCall))
            }
        }
    )*};
}

unbuilt! {
    QosGet QosSet AffinitySet SharesSet
    InfoProcess InfoUsage InfoCpu InfoObjects InfoCapability InfoInvariants
    BootArguments
}
