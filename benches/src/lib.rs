//! Benchmarks: `cargo bench -p kindling-bench`.
