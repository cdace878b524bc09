internal import GRDB

extension MasterDatabase {
    /// How many steps the jobs of these numbers have, by job.
    func stepCounts(of numbers: [Int64]) async throws(MasterDatabaseError)
        -> [Int64: JobJSON.Counts]
    {
        try await read { connection in
            var counts: [Int64: JobJSON.Counts] = [:]
            // One after the other in the order of their key, so nothing is sorted.
            let statement = try connection.makeStatement(
                sql: """
                    SELECT job, count(*), sum(state IN (\(Self.words { $0.isTerminal }))),
                        sum(state IN (\(Self.words { $0 == .failed || $0 == .lost })))
                    FROM steps WHERE job IN (\(numbers.map(String.init).joined(separator: ",")))
                    GROUP BY job
                    """)
            let rows = try Row.fetchCursor(statement)
            while try rows.next() != nil {
                var fields = Fields(statement, of: "steps")
                let number = try fields.integer()
                counts[number] = JobJSON.Counts(
                    total: try fields.int(), done: try fields.int(), failed: try fields.int())
            }
            return counts
        }
    }
    private static func words(_ isMeant: (JobStep.State) -> Bool) -> String {
        JobStep.State.allCases.filter(isMeant).map { "'\($0.rawValue)'" }.joined(separator: ",")
    }
}
