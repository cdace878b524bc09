internal import FoundationEssentials
internal import GRDB
internal import PipelineIR

internal import struct Executor.Timestamp

extension WriteTransaction {
    /// Keeps a plan. One that is there stays as it is, for its digest says what it is.
    func put(plan bytes: [UInt8], digest: PlanDigest, at time: Timestamp) throws {
        try run(
            "INSERT INTO plans (digest, bytes, created) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            [digest.digest.blob, Data(bytes), time.sinceEpoch])
    }
}

extension MasterDatabase {
    /// The most bytes of a plan.
    static let mostPlanBytes = 64 << 20

    /// Keeps the bytes of a plan under its digest.
    func put(
        plan bytes: [UInt8], digest: PlanDigest, at time: Timestamp = .now()
    ) async throws(MasterDatabaseError) {
        guard bytes.count <= Self.mostPlanBytes else {
            throw .invalid(field: "plan", reason: "has more than \(Self.mostPlanBytes) bytes")
        }
        try await write { try $0.put(plan: bytes, digest: digest, at: time) }
    }

    /// The bytes of a plan; `nil` when there is none of that digest.
    func plan(_ digest: PlanDigest) async throws(MasterDatabaseError) -> [UInt8]? {
        try await read { connection in
            let statement = try connection.cachedStatement(
                sql: "SELECT bytes FROM plans WHERE digest = ?")
            guard let row = try Row.fetchOne(statement, arguments: [digest.digest.blob]) else {
                return nil
            }
            var fields = Fields(row, of: "plans")
            return try fields.bytes()
        }
    }

    /// Bytes that a plan has; nothing of them is read.
    func planSize(_ digest: PlanDigest) async throws(MasterDatabaseError) -> Int? {
        try await read { connection in
            let statement = try connection.cachedStatement(
                sql: "SELECT length(bytes) FROM plans WHERE digest = ?")
            return try Int.fetchOne(statement, arguments: [digest.digest.blob])
        }
    }
}
