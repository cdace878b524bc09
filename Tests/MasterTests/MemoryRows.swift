import Synchronization

@testable import Master

/// Rows in memory, with the transactions of a database: one after another, all or nothing.
final class MemoryRows: SecretRows {
    struct Crash: Error {}

    /// Where the next `replaceAll` ends as if the process had died there.
    enum CrashPoint: Equatable {
        case never, beforeCommit, afterCommit
    }

    private struct State {
        var rows: [SecretID: SealedSecret] = [:]
        var crash = CrashPoint.never
    }
    private let state = Mutex(State())

    var all: [SealedSecret] { state.withLock { Array($0.rows.values) } }

    func crash(_ point: CrashPoint) { state.withLock { $0.crash = point } }

    /// Stores a row as somebody with a database tool would.
    func plant(_ row: SealedSecret, as id: SecretID) { state.withLock { $0.rows[id] = row } }

    func put(
        _ id: SecretID, by actor: String,
        _ make: @escaping @Sendable (SealedSecret?, Int64) throws -> SealedSecret
    ) async throws {
        try state.withLock { state in
            let before = state.rows[id]
            state.rows[id] = try make(before, (before?.version ?? 0) + 1)
        }
        await Task.yield()
    }

    func get(_ id: SecretID) async throws -> SealedSecret? { state.withLock { $0.rows[id] } }

    func list() async throws -> [SecretSummary] {
        state.withLock { state in
            state.rows.values.map(\.summary).sorted { $0.id.description < $1.id.description }
        }
    }

    func delete(_ id: SecretID, by actor: String) async throws -> Bool {
        state.withLock { $0.rows.removeValue(forKey: id) != nil }
    }

    func replaceAll(
        by actor: String, _ change: @escaping @Sendable (SealedSecret) throws -> SealedSecret
    ) async throws {
        try state.withLock { state in
            let changed = try state.rows.mapValues { try change($0) }
            let crash = state.crash
            state.crash = .never
            if crash == .beforeCommit { throw Crash() }
            state.rows = changed
            if crash == .afterCommit { throw Crash() }
        }
        await Task.yield()
    }
}
