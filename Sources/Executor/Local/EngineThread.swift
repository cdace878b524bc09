internal import Glibc

/// Runs what follows a fork on a thread that was made after it.
///
/// Swift's run-time takes the locks of lazily made globals and of `Mutex` by the number of the
/// thread, which it asks for once in each thread. The first thread of a forked process has kept the
/// number of its parent's, with which the kernel refuses to wait for a lock: where another thread
/// wants the same one at the same moment, both turn in circles for ever. A new thread asks anew.
package enum EngineThread {
    /// Bytes; address space that is taken as it is used.
    private static let stackSize = 64 << 20

    private final class Call {
        let body: () throws -> Void
        var error: (any Error)?

        init(_ body: @escaping () throws -> Void) { self.body = body }
    }

    /// Runs a block on a thread of its own and waits for it; throws what it throws, or
    /// `RunnerError` when there can be no thread.
    package static func run(_ body: () throws -> Void) throws {
        try withoutActuallyEscaping(body) { body in
            let call = Call(body)
            var attributes = pthread_attr_t()
            pthread_attr_init(&attributes)
            defer { pthread_attr_destroy(&attributes) }
            pthread_attr_setstacksize(&attributes, stackSize)
            var thread = pthread_t()
            let context = Unmanaged.passRetained(call)
            let error = pthread_create(&thread, &attributes, main, context.toOpaque())
            guard error == 0 else {
                context.release()
                throw RunnerError.system("pthread_create", errno: error)
            }
            pthread_join(thread, nil)
            if let error = call.error { throw error }
        }
    }

    private static let main: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? =
        { context in
            guard let context else { return nil }
            let call = Unmanaged<Call>.fromOpaque(context).takeRetainedValue()
            do { try call.body() } catch { call.error = error }
            return nil
        }
}
