//! The threads that compute.

/// Makes the calling thread one of rayon's threads, which compute the operations of the
/// CPU backends. From a thread outside that pool, each of the thousands of small operations
/// would be handed over, and the calling thread would sleep and wake again.
pub fn join_thread_pool() {
    // It fails only where the pool exists already, and then there is nothing to do.
    let _ = rayon::ThreadPoolBuilder::new()
        .use_current_thread()
        .build_global();
}
