internal import Glibc

/// Runs what blocks on a disk apart from the cooperative pool, on a thread made for it. It is for
/// what happens seldom.
enum OwnThread {
    /// Runs a closure and waits for it, without holding a thread of the pool.
    static func run<Result: Sendable>(
        _ work: @escaping @Sendable () throws -> Result
    ) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            let order = Unmanaged.passRetained(
                Order { continuation.resume(with: Swift.Result { try work() }) })
            var thread = pthread_t()
            let error = pthread_create(
                &thread, nil,
                { pointer in
                    guard let pointer else { return nil }
                    Unmanaged<Order>.fromOpaque(pointer).takeRetainedValue().run()
                    return nil
                }, order.toOpaque())
            guard error == 0 else {
                order.release()
                continuation.resume(throwing: NoThread(error: error))
                return
            }
            pthread_detach(thread)
        }
    }

    /// The system gave no thread.
    struct NoThread: Error {
        /// A number of errno.
        let error: Int32
    }

    private final class Order: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }
}
