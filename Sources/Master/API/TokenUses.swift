internal import Synchronization

internal import struct Executor.Timestamp

/// When each token was used last, as far as it matters: one writing a minute for each is enough.
final class TokenUses: Sendable {
    private let noted = Mutex<[Int64: ContinuousClock.Instant]>([:])
    private static let pause = Duration.seconds(60)
    private static let mostKnown = 10_000

    /// Records a use, unless that was done within the last minute. Nobody waits for it.
    func note(_ token: APIToken, in database: MasterDatabase) {
        let now = ContinuousClock.now
        let isDue = noted.withLock { noted in
            if let last = noted[token.id], now - last < Self.pause { return false }
            if noted.count >= Self.mostKnown { noted.removeAll() }
            noted[token.id] = now
            return true
        }
        guard isDue else { return }
        let (id, time) = (token.id, Timestamp.now())
        database.writeAside { try $0.noteUse(of: id, at: time) }
    }
}
