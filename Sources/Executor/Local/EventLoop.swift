internal import CSandbox
internal import Glibc

/// Waits for many descriptors at once. Belongs to one thread.
final class EventLoop {
    /// Tokens taken from the kernel at once.
    private static let batch = 64

    private let descriptor: Int32
    private var tokens = [UInt64](repeating: 0, count: batch)

    /// Throws when the kernel has no more descriptors to give.
    init() throws(RunnerError) {
        descriptor = danube_loop_open()
        if descriptor < 0 { throw .system("epoll_create1", errno: -descriptor) }
    }

    deinit { close(descriptor) }

    /// Watches a descriptor until something can be read from it; `token` is what `wait` says.
    func add(_ file: Int32, token: UInt64) throws(RunnerError) {
        let status = danube_loop_add(descriptor, file, token)
        if status < 0 { throw .system("epoll_ctl", errno: -status) }
    }

    /// Stops watching, which has to happen before a process descriptor is closed.
    func remove(_ file: Int32) { _ = danube_loop_remove(descriptor, file) }

    /// Waits at most `milliseconds` (-1 for ever) and says which tokens are ready.
    func wait(milliseconds: Int32, _ body: (UInt64) -> Void) {
        let count = danube_loop_wait(descriptor, &tokens, Int32(Self.batch), milliseconds)
        guard count > 0 else { return }
        for index in 0..<Int(count) { body(tokens[index]) }
    }
}
