//! Measures deflation. `cargo run --release -p archive --example deflate FILE [LEVEL…]`

#![expect(clippy::disallowed_methods, reason = "measures elapsed time")]
#![expect(clippy::print_stdout, reason = "its result")]

use std::num::NonZeroUsize;
use std::time::Instant;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("name a file")?;
    let content = std::fs::read(path)?;
    let levels: Vec<u32> = arguments.map(|level| level.parse()).collect::<Result<_, _>>()?;
    for level in levels {
        for threads in [1, 2] {
            let threads = NonZeroUsize::new(threads).ok_or("no threads")?;
            let began = Instant::now();
            let deflated = archive::Deflater::new(threads)
                .level(level)
                .deflate(&mut content.as_slice(), &mut std::io::sink())?;
            println!(
                "level {level}, {threads} threads: {} to {} bytes in {:.2} s",
                deflated.size,
                deflated.length,
                began.elapsed().as_secs_f64()
            );
        }
    }
    Ok(())
}
