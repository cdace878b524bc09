internal import Compiler
internal import GRDB
internal import PipelineIR

/// Compares plans with their digests.
enum PlanCheck {
    /// One sentence for each plan that is another than its digest says; counts all of them.
    static func problems(in connection: Database, _ count: inout Int) throws -> [String] {
        var problems: [String] = []
        let rows = try Row.fetchCursor(connection, sql: "SELECT digest, bytes FROM plans")
        while let row = try rows.next(), problems.count < DatabaseCheck.mostProblems {
            var fields = Fields(row, of: "plans")
            let digest = PlanDigest(try fields.digest())
            count += 1
            guard let plan = try? PlanProto.decode(try fields.bytes()) else {
                problems.append("plan \(digest) cannot be read")
                continue
            }
            if plan.digest != digest { problems.append("plan \(digest) is another than it was") }
        }
        return problems
    }
}
