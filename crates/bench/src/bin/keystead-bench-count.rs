//! Counts allocations and bytes, with an allocator that counts. `keystead-bench` runs it.

use keystead_bench::{memory, say};

fn main() -> anyhow::Result<()> {
    let counted = memory::count(|work| {
        let info = allocation_counter::measure(work);
        (info.count_total, info.bytes_current)
    })?;
    say::result(&serde_json::to_string(&counted)?);
    Ok(())
}
