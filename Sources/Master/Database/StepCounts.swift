internal import GRDB

extension MasterDatabase {
    /// How many steps the jobs of these numbers have, by job.
    func stepCounts(of numbers: [Int64]) async throws(MasterDatabaseError)
        -> [Int64: JobJSON.Counts]
    {
        try await read { connection in
            var counts: [Int64: JobJSON.Counts] = [:]
            let statement = try connection.cachedStatement(
                sql: "SELECT state, count(*) FROM steps WHERE job = ? GROUP BY state")
            for number in numbers {
                var of = JobJSON.Counts()
                let rows = try Row.fetchCursor(statement, arguments: [number])
                while let row = try rows.next() {
                    var fields = Fields(row, of: "steps")
                    let state = try fields.word(JobStep.State.self)
                    let count = try fields.int()
                    of.total += count
                    if state.isTerminal { of.done += count }
                    if state == .failed || state == .lost { of.failed += count }
                }
                counts[number] = of
            }
            return counts
        }
    }
}
