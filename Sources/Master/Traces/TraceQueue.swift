internal import Synchronization

internal import struct Executor.JobID

/// Jobs that have ended and whose traces are to be sent: a bounded number, the oldest first.
final class TraceQueue: Sendable {
    private struct State {
        var jobs: [JobID] = []
        var lost = 0
    }

    /// Says that there is something, as often as it is asked for.
    let wakes: AsyncStream<Void>
    private let wake: AsyncStream<Void>.Continuation
    private let most: Int
    private let state = Mutex(State())

    /// A queue of so many jobs at most; what comes then is lost, and counted.
    init(most: Int = 10_000) {
        self.most = most
        (wakes, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    /// How many wait.
    var count: Int { state.withLock { $0.jobs.count } }

    /// Notes the jobs that end with these events. It never waits.
    func take(_ events: [JobEvent]) {
        let ended = events.filter { event in
            event.kind == .state
                && JobState.allCases.contains {
                    $0.isTerminal && event.body.contains("\"to\":\"\($0.rawValue)\"")
                }
        }
        if ended.isEmpty { return }
        state.withLock { state in
            let room = max(0, most - state.jobs.count)
            state.jobs += ended.prefix(room).map(\.job)
            state.lost += max(0, ended.count - room)
        }
        wake.yield()
    }

    /// Takes some.
    func take(_ count: Int) -> [JobID] {
        state.withLock { state in
            let taken = Array(state.jobs.prefix(count))
            state.jobs.removeFirst(taken.count)
            return taken
        }
    }

    /// Takes all.
    func takeAll() -> [JobID] { take(.max) }

    /// Puts jobs back to where they were.
    func giveBack(_ jobs: [JobID]) { state.withLock { $0.jobs = jobs + $0.jobs } }

    /// How many were lost since this was asked last.
    func takeLost() -> Int {
        state.withLock { state in
            defer { state.lost = 0 }
            return state.lost
        }
    }
}
