internal import NIOCore
internal import Synchronization

/// Room in memory for answers of which each may be large: plans, and steps by the thousand.
///
/// Who asks for one takes as much as it may need before anything is made, and gives it back when it
/// is sent, or nobody is there to send it to. Where there is no room, those who ask wait in the
/// order in which they came; they are not many, and do not wait for long.
final class AnswerRoom: Sendable {
    /// Why there is no room.
    enum Refusal: Error, Equatable {
        case tooManyWaiting(Int)
        case waitedTooLong
    }

    /// A part of the room, which is given back with it.
    final class Share: Sendable {
        private let room: AnswerRoom
        private let bytes: Mutex<Int>

        fileprivate init(_ room: AnswerRoom, _ bytes: Int) {
            self.room = room
            self.bytes = Mutex(bytes)
        }

        /// Gives back all but so much: what is made needs less than its making.
        func keep(_ most: Int) {
            let rest = bytes.withLock { bytes in
                let rest = max(0, bytes - max(0, most))
                bytes -= rest
                return rest
            }
            room.giveBack(rest)
        }

        deinit { room.giveBack(bytes.withLock { $0 }) }
    }

    private struct Waiter {
        var number: UInt64
        var bytes: Int
        var continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var free: Int
        var waiting: [Waiter] = []
        var last: UInt64 = 0
    }

    private let capacity: Int
    private let mostWaiting: Int
    private let patience: TimeAmount
    private let state: Mutex<State>

    /// Makes room for a number of bytes.
    init(
        _ capacity: Int = 128 << 20, mostWaiting: Int = 256, patience: TimeAmount = .seconds(30)
    ) {
        self.capacity = capacity
        self.mostWaiting = mostWaiting
        self.patience = patience
        state = Mutex(State(free: capacity))
    }

    /// How many wait for room.
    var waitingCount: Int { state.withLock { $0.waiting.count } }

    /// Takes room, of which an answer that is larger than all of it takes all. `loop` is asked to
    /// look at the clock. Throws `Refusal`, or `CancellationError`.
    func share(of bytes: Int, on loop: any EventLoop) async throws -> Share {
        let wanted = min(max(0, bytes), capacity)
        let number = state.withLock { state in
            state.last += 1
            return state.last
        }
        let end = loop.scheduleTask(in: patience) { self.leave(number, Refusal.waitedTooLong) }
        defer { end.cancel() }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                enter(Waiter(number: number, bytes: wanted, continuation: continuation))
            }
        } onCancel: {
            leave(number, CancellationError())
        }
        return Share(self, wanted)
    }

    private func enter(_ waiter: Waiter) {
        let outcome: Result<Void, any Error>? = state.withLock { state in
            if Task.isCancelled { return .failure(CancellationError()) }
            if state.waiting.isEmpty, waiter.bytes <= state.free {
                state.free -= waiter.bytes
                return .success(())
            }
            if state.waiting.count >= mostWaiting {
                return .failure(Refusal.tooManyWaiting(state.waiting.count))
            }
            state.waiting.append(waiter)
            return nil
        }
        if let outcome { waiter.continuation.resume(with: outcome) }
    }

    private func leave(_ number: UInt64, _ reason: any Error) {
        let (waiter, next) = state.withLock { state -> (Waiter?, [Waiter]) in
            let place = state.waiting.firstIndex { $0.number == number }
            // Those behind one that wanted much may find room.
            return (place.map { state.waiting.remove(at: $0) }, Self.admitted(&state))
        }
        waiter?.continuation.resume(throwing: reason)
        for waiter in next { waiter.continuation.resume() }
    }

    private func giveBack(_ bytes: Int) {
        let next = state.withLock { state in
            state.free += bytes
            return Self.admitted(&state)
        }
        for waiter in next { waiter.continuation.resume() }
    }

    private static func admitted(_ state: inout State) -> [Waiter] {
        var count = 0
        while count < state.waiting.count, state.waiting[count].bytes <= state.free {
            state.free -= state.waiting[count].bytes
            count += 1
        }
        defer { state.waiting.removeFirst(count) }
        return Array(state.waiting.prefix(count))
    }
}
