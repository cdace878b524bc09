internal import Compiler
internal import Hummingbird

/// A job as somebody asks for it.
struct JobRequest {
    /// The members that it may have.
    static let keys: Set<String> = [
        "repository", "pipeline", "revision", "ref", "branch", "file", "parameters", "event",
        "priority", "team", "concurrency", "max_duration_seconds",
    ]
    /// Those of one that is only compiled.
    static let planKeys: Set<String> = [
        "repository", "pipeline", "revision", "ref", "branch", "file", "parameters", "event",
    ]
    static let priorities: ClosedRange<Int64> = -1000...1000
    static let mostSeconds: Int64 = 30 * 86_400

    let job: NewJob

    /// Checks it. What only the repository knows is checked when the job runs.
    init(_ body: JSONBody, needsPipeline: Bool = true) throws {
        var job = NewJob(
            pipeline: try needsPipeline
                ? body.neededText("pipeline") : body.text("pipeline") ?? "",
            repository: try body.neededText("repository"))
        job.team = try body.text("team")
        job.revision = try body.text("revision")
        job.ref = try body.text("ref") ?? body.text("branch")
        for text in [job.revision, job.ref].compactMap({ $0 }) where GitRef(text) == nil {
            throw Problem(
                .unprocessableContent, "`\(text)` is neither a full commit id nor a ref's name.",
                hint: "Write 40 digits, or a name such as main.")
        }
        if let file = try body.text("file") { job.file = try Self.file(file) }
        if let parameters = body["parameters"] {
            guard parameters.members != nil else {
                throw Problem(.unprocessableContent, "`parameters` is no object.")
            }
            job.parameters = parameters.canonical
        }
        if let event = try body.text("event") { job.trigger = event }
        job.priority = Int(try body.integer("priority", Self.priorities) ?? 0)
        job.mostMilliseconds = try body.integer("max_duration_seconds", 1...Self.mostSeconds)
            .map { $0 * 1000 }
        job.concurrency = try Self.concurrency(body)
        self.job = job
    }

    private static func file(_ text: String) throws -> String {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard !text.hasPrefix("/"), parts.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." })
        else {
            throw Problem(
                .unprocessableContent, "`file` is no path within a repository.",
                hint: "Write danubefile.py, or folder/danubefile.py.")
        }
        return text
    }

    private static func concurrency(_ body: JSONBody) throws -> NewJob.Concurrency? {
        guard let value = body["concurrency"] else { return nil }
        guard let group = value["group"]?.text, !group.isEmpty,
            let rule = NewJob.ConcurrencyRule(rawValue: value["rule"]?.text ?? "serialize")
        else {
            throw Problem(
                .unprocessableContent, "`concurrency` has no group, or a rule that there is not.",
                hint: "Rules are replace, queue(N) and serialize.")
        }
        return NewJob.Concurrency(group: group, rule: rule)
    }
}
