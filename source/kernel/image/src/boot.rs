//! Boot, from the firmware's hand-over to the first program.

use nexus_abi::image::Image;
use nexus_arch::arguments::Arguments;
use nexus_arch::memory::{self, Memory};
use nexus_arch::{defects, harts, layout, machine, run, say, selftest, stop, system};
use nexus_core::{boot::First, text::Hex, trace::RING_WORDS};

/// Boots. Runs once, on the hart that came first.
pub(crate) fn main(hart: u64, device_tree: u64, instructions: u64) -> ! {
    let (facts, device_tree) = machine::discover(hart, device_tree);
    let arguments = Arguments::read(facts.arguments, |word| {
        let printable = word.iter().all(u8::is_ascii_graphic);
        if !defects::asked(word) {
            say!("unknown boot argument ignored: ", if printable { word } else { b"?" });
        }
    });
    let mut memory = memory::map(&facts, device_tree);
    let image = read_image(&memory);
    let system = system::install(instructions, &facts, arguments, &mut memory, image.header().raisers);
    let kernel = &system.kernel;
    if arguments.tracing {
        let (cpus, rings) = (kernel.cpus.len() as u64, layout::to_physical(kernel.rings.as_ptr() as u64));
        say!("tracing ", RING_WORDS as u64, " words of each of ", cpus, " CPUs at 0x", Hex(rings, 1));
    }
    let kilobytes = 4 * u64::from(kernel.frames.pool.capacity);
    say!("hart ", facts.boot, " of ", facts.all_harts as u64, ", ", kilobytes, " KiB for programs");
    defects::show(system, &memory);
    let (image_range, device_tree) = (memory.image.clone(), memory.device_tree.clone());
    let first = First { image, bytes: memory.image_bytes(), image_range, device_tree };
    if let Err(error) = kernel.start_first(&first, run::now()) {
        stop!(FirstProcess, "the first process cannot be made: ", error.name())
    }
    harts::start(system, &memory);
    if arguments.self_tests {
        selftest::run(system);
    }
    run::enter_first(system)
}

/// The boot image; without a usable one the machine stops with a line that says why.
fn read_image(memory: &Memory) -> Image<'static> {
    let words = memory.image_words();
    Image::read_by(memory.image_bytes(), |at| words.get(at).copied().unwrap_or(0)).unwrap_or_else(|error| {
        stop!(Image, "boot image: ", error.name(), " (", memory.image_bytes().len() as u64, " bytes)")
    })
}
