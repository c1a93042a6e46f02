//! Commands about the machine and the shell itself.

use crate::Failure;
use crate::command::{COMMANDS, Context, find};
use crate::system::Power;
use alloc::format;
use nexus_abi::Error;

/// `help [command]`
pub(crate) fn help(context: &mut Context<'_>) -> Result<(), Failure> {
    match context.words {
        [] => {
            for command in COMMANDS {
                context.print(&format!("{:<10}{}\n", command.name, command.about));
            }
            context.print("Listings take -j for JSON lines. Tab completes, Ctrl-C ends what runs in front.\n");
        }
        [name] => {
            let unknown = || Failure::new(Error::NotFound, format!("no command `{}`", name.escape_debug()));
            let command = find(name).ok_or_else(unknown)?;
            context.print(format!("{} {}", command.name, command.usage).trim_end());
            context.print(&format!("\n  {}\n", command.about));
        }
        _ => return Err(Failure::invalid("help [command]")),
    }
    Ok(())
}

/// `uptime`
pub(crate) fn uptime(context: &mut Context<'_>) -> Result<(), Failure> {
    context.no_words()?;
    let time = context.system.uptime_us();
    context.print(&format!("up {}.{:06} s\n", time / 1_000_000, time % 1_000_000));
    Ok(())
}

/// `status`
pub(crate) fn status(context: &mut Context<'_>) -> Result<(), Failure> {
    context.no_words()?;
    let last = context.last.unwrap_or("0");
    context.print(&format!("{last}\n"));
    Ok(())
}

/// `reboot`
pub(crate) fn reboot(context: &mut Context<'_>) -> Result<(), Failure> {
    context.no_words()?;
    Err(Failure::new(context.system.power(Power::Reset), "the machine was not reset"))
}

/// `shutdown [code]`
pub(crate) fn shutdown(context: &mut Context<'_>) -> Result<(), Failure> {
    let code = match context.words {
        [] => 0,
        [word] => word.parse::<u8>().map_err(|_| Failure::invalid("an exit status is 0 to 255"))?,
        _ => return Err(Failure::invalid("shutdown [code]")),
    };
    Err(Failure::new(context.system.power(Power::Off(code.into())), "the machine was not stopped"))
}
