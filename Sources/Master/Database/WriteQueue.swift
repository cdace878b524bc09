internal import Synchronization

/// Requests to write that wait for the next transaction, in order, and whether the database still
/// takes any.
final class WriteQueue: Sendable {
    /// How much may wait.
    struct Bounds: Sendable {
        /// Requests that may wait.
        var mostWaiting = 10_000
        /// How long a request waits before it is refused.
        var longestWait = Duration.seconds(10)
        /// Requests that one transaction takes.
        var mostPerTransaction = 512
    }

    /// What became of a request that was added.
    enum Addition {
        /// It waits, and somebody drains the queue already.
        case queued
        /// It waits, and whoever added it has to see that the queue is drained.
        case startsDraining
        case refused(MasterDatabaseError)
    }

    private struct State {
        var waiting: [any PendingWrite] = []
        var isDraining = false
        var end: MasterDatabaseError?
    }

    private let path: String
    private let bounds: Bounds
    private let state = Mutex(State())

    init(path: String, bounds: Bounds) {
        self.path = path
        self.bounds = bounds
    }

    /// Why nothing is taken any more; `nil` while it is.
    var end: MasterDatabaseError? { state.withLock { $0.end } }

    /// Requests that wait now.
    var count: Int { state.withLock { $0.waiting.count } }

    /// Adds a request at the end.
    func add(_ request: any PendingWrite) -> Addition {
        state.withLock { state in
            if let end = state.end { return .refused(end) }
            guard state.waiting.count < bounds.mostWaiting else {
                return .refused(.busy(path: path, .queueFull(waiting: state.waiting.count)))
            }
            state.waiting.append(request)
            if state.isDraining { return .queued }
            state.isDraining = true
            return .startsDraining
        }
    }

    /// The requests of the next transaction; empty when none wait, and then draining is over. Those
    /// that have waited for too long are answered here.
    func next() -> [any PendingWrite] {
        while true {
            let taken = state.withLock { state -> [any PendingWrite] in
                let taken = Array(state.waiting.prefix(bounds.mostPerTransaction))
                state.waiting.removeFirst(taken.count)
                if taken.isEmpty { state.isDraining = false }
                return taken
            }
            let latest = ContinuousClock.now - bounds.longestWait
            let (late, inTime) = (
                taken.filter { $0.asked < latest }, taken.filter { $0.asked >= latest }
            )
            for request in late { request.fail(.busy(path: path, .waitedTooLong)) }
            if taken.isEmpty || !inTime.isEmpty { return inTime }
        }
    }

    /// Takes nothing from now on, for this reason or the one that was given first. Those that wait
    /// are refused.
    func refuseAll(_ reason: MasterDatabaseError) {
        let (waiting, end) = state.withLock { state in
            let end = state.end ?? reason
            state.end = end
            defer { state.waiting = [] }
            return (state.waiting, end)
        }
        for request in waiting { request.fail(end) }
    }
}
