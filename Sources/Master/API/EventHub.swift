internal import Synchronization

/// Wakes those who follow the events of all jobs. It holds no event: they are read from the
/// database, so one who stalls costs nothing.
final class EventHub: Sendable {
    private struct State {
        var next = 0
        var waiters: [Int: AsyncStream<Void>.Continuation] = [:]
    }

    private let state = Mutex(State())

    /// Tells everybody that there may be more.
    func wake() {
        let waiters = state.withLock { Array($0.waiters.values) }
        for waiter in waiters { waiter.yield() }
    }

    /// A stream that has an element whenever there may be more, at first too.
    func changes() -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let number = state.withLock { state in
            state.next += 1
            state.waiters[state.next] = continuation
            return state.next
        }
        continuation.onTermination = { [weak self] _ in
            self?.state.withLock { $0.waiters[number] = nil }
        }
        continuation.yield()
        return stream
    }
}
