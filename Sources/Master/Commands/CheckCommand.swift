internal import GRDB
internal import Glibc
internal import PipelineIR

internal import struct Executor.JobID

extension MasterCommand {
    /// `danube db check`.
    static let check = MasterCommand(
        name: "db check", summary: "Check the database of a master, also while it runs.",
        usage: "[--files] [--json]",
        help: """
            Looks at every page and index, at references between rows, at what the events of jobs \
            lead to, and at the digests of plans.

              --files   Read all artifacts as well, and compare their digests.
              --json    Print one object of JSON.
            """,
        form: .init(switches: ["--files", "--json"])
    ) { words, configuration in
        let report = try CheckCommand(
            folder: configuration.data, readsFiles: words.switches.contains("--files")
        ).run()
        let text = words.switches.contains("--json") ? report.json : report.text
        MasterProgram.say(text, to: STDOUT_FILENO)
        return report.problems.isEmpty ? 0 : 1
    }
}

/// Checks a database and what it names.
struct CheckCommand: Sendable {
    let folder: String
    /// Whether artifacts are read.
    let readsFiles: Bool

    /// What came out of it.
    struct Report: Sendable, Equatable {
        var path: String
        var jobs = 0
        var plans = 0
        var artifacts = 0
        /// One sentence for each.
        var problems: [String] = []

        /// For people.
        var text: String {
            var text = problems.map { "\(ShownText.line($0, most: 1000))\n" }.joined()
            text += "\(path): "
            text += problems.isEmpty ? "all is well" : "\(problems.count) problems"
            if jobs + plans + artifacts > 0 {
                text += " (\(jobs) jobs, \(plans) plans, \(artifacts) artifacts)"
            }
            if !problems.isEmpty {
                text +=
                    "\n  hint: Stop the master, and run `danube restore` with the latest backup."
            }
            return text + "\n"
        }

        /// For programs: an object on one line.
        var json: String {
            var json = JSONWriter()
            json.beginObject()
            json.key("artifacts")
            json.integer(artifacts)
            json.key("jobs")
            json.integer(jobs)
            json.key("ok")
            json.bool(problems.isEmpty)
            json.key("path")
            json.string(path)
            json.key("plans")
            json.integer(plans)
            json.key("problems")
            json.beginArray()
            for problem in problems { json.string(problem) }
            json.endArray()
            json.endObject()
            return String(decoding: json.bytes, as: UTF8.self) + "\n"
        }
    }

    /// Checks. Throws when the file cannot be read at all, not when it is damaged.
    func run() throws -> Report {
        var report = Report(path: "\(folder)/\(MasterDatabase.fileName)")
        do {
            let file = try ReadOnlyDatabase(path: report.path)
            defer { file.close() }
            try file.examine(mayBeEmpty: false)
            // One state of the database, whatever is written meanwhile.
            try file.readOnce { connection in
                report.problems = try DatabaseCheck.structure(of: connection)
                guard report.problems.isEmpty else { return }
                report.problems = try DatabaseCheck.content(of: connection)
                report.jobs = try Self.count("jobs", connection)
                report.problems += try PlanCheck.problems(in: connection, &report.plans)
            }
            if readsFiles { try checkFiles(file, &report) }
        } catch let error as MasterDatabaseError {
            switch error {
            case .corrupt, .badRow: report.problems.append(error.description)
            default: throw error
            }
        }
        report.problems = Array(report.problems.prefix(DatabaseCheck.mostProblems))
        return report
    }

    private static func count(_ table: String, _ connection: Database) throws -> Int {
        try Int.fetchOne(connection, sql: "SELECT count(*) FROM \(table)") ?? 0
    }

    private func checkFiles(_ file: ReadOnlyDatabase, _ report: inout Report) throws {
        let jobs = try file.read { connection in
            try String.fetchAll(
                connection,
                sql: "SELECT id FROM jobs j WHERE EXISTS "
                    + "(SELECT 1 FROM artifacts a WHERE a.job = j.number) ORDER BY number")
        }
        for job in jobs where report.problems.count < DatabaseCheck.mostProblems {
            // Read one by one: a row that goes meanwhile is no problem.
            let rows = try file.read { try ArtifactTable.artifacts(ofJobNamed: job, in: $0) }
            for artifact in rows {
                report.artifacts += 1
                guard let problem = ArtifactCheck(folder: "\(folder)/jobs/\(job)").problem(artifact)
                else { continue }
                report.problems.append("the artifact \(artifact.name) of job \(job) \(problem)")
            }
        }
    }
}
