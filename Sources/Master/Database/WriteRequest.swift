internal import Synchronization

/// A request to write that waits for its turn, whatever it gives back.
protocol PendingWrite: AnyObject, Sendable {
    /// When it was asked for.
    var asked: ContinuousClock.Instant { get }
    /// Does the work, inside a savepoint. What it gives is kept until the commit.
    func perform(in transaction: WriteTransaction) throws
    /// Answers: what was done is on the disk.
    func succeed()
    /// Answers: nothing was done, or, after `.failed`, nobody knows.
    func fail(_ error: MasterDatabaseError)
}

/// A request to write, and who waits for its answer.
final class WriteRequest<Value: Sendable>: PendingWrite {
    let asked = ContinuousClock.now
    private let body: @Sendable (WriteTransaction) throws -> Value
    private let answer: @Sendable (Result<Value, MasterDatabaseError>) -> Void
    private let value = Mutex<Value?>(nil)

    init(
        _ body: @escaping @Sendable (WriteTransaction) throws -> Value,
        answer: @escaping @Sendable (Result<Value, MasterDatabaseError>) -> Void
    ) {
        self.body = body
        self.answer = answer
    }

    func perform(in transaction: WriteTransaction) throws {
        let made = try body(transaction)
        value.withLock { $0 = made }
    }

    func succeed() {
        guard let made = value.withLock({ $0 }) else {
            return answer(.failure(.misuse(path: "?", reason: "a request was not performed")))
        }
        answer(.success(made))
    }

    func fail(_ error: MasterDatabaseError) { answer(.failure(error)) }
}
