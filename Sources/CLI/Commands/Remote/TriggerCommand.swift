import ArgumentParser
import Compiler
import Glibc
import PipelineIR

/// `danube trigger`.
struct TriggerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trigger",
        abstract: "Start a job on a master.",
        discussion: """
            It prints the job's id. The master reads the commit, so what is not committed is not \
            in the job. With --follow it prints the log too, and the exit status is 0 when the \
            job succeeds and 1 when it does not.
            """)

    @Argument(help: "The pipeline.")
    var pipeline: String

    @Option(
        help: ArgumentHelp(
            "Path or address of the repository, for the master (default: the one here).",
            valueName: "repository"))
    var repository: String?

    @Option(
        help: ArgumentHelp(
            "The commit, branch or tag (default: the commit that is checked out).",
            valueName: "rev"))
    var rev: String?

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("The danubefile, in the repository.", valueName: "file"))
    var file: String?

    @Option(
        name: [.customLong("param"), .customShort("p")],
        help: ArgumentHelp("A parameter of the pipeline; may be repeated.", valueName: "name=value")
    )
    var parameters: [String] = []

    @Option(help: "Why it runs.")
    var event: PlanEvent?

    @Option(help: ArgumentHelp("Jobs of a higher one go first.", valueName: "number"))
    var priority: Int?

    @Flag(help: "Print the log until the job ends.")
    var follow = false

    @Flag(help: "Print the job as JSON, and lines of the log as JSON objects.")
    var json = false

    @OptionGroup var place: DirectoryOptions
    @OptionGroup var master: MasterOptions
    @OptionGroup var colour: ColourOptions

    func validate() throws {
        for parameter in parameters {
            guard let equals = parameter.firstIndex(of: "="), equals != parameter.startIndex else {
                throw ValidationError(
                    "--param \(parameter) has no value; write \(parameter)=VALUE.")
            }
        }
    }

    func run() throws {
        var call = MasterClient.Call(.post, "jobs")
        call.body = try body()
        // Asked twice, after a lost connection, the master starts one job.
        call.headers = [("Idempotency-Key", Self.key())]
        let jobs = RemoteJobs(master: try master.client())
        let job = try jobs.ask(call)
        if json {
            Output.out(job.json().line)
        } else {
            var buffer = TextBuffer()
            buffer.safe(job.id)
            buffer.newline()
            if follow { Output.err(buffer) } else { Output.out(buffer) }
        }
        guard follow else { return }
        let ended = try RemoteFollower(jobs, colour: colour, json: json).follow(job)
        throw ExitCode(ended.isSuccess ? 0 : 1)
    }

    private func body() throws(Failure) -> JSONValue {
        var members: [JSONValue.Member] = [.init("pipeline", .string(pipeline))]
        let source = try source()
        let texts = [
            ("repository", source.repository), ("revision", source.revision),
            ("ref", source.ref), ("branch", source.branch), ("file", file),
            ("event", event?.rawValue),
        ]
        for (key, text) in texts {
            if let text { members.append(.init(key, .string(text))) }
        }
        if let priority { members.append(.init("priority", .integer(Int64(priority)))) }
        var values: [JSONValue.Member] = []
        for parameter in parameters {
            let parts = parameter.split(
                separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(parts[0])
            guard !values.contains(where: { $0.key == name }) else {
                throw .mistake("--param \(name) is given twice")
            }
            values.append(.init(name, .string(parts.count > 1 ? String(parts[1]) : "")))
        }
        if !values.isEmpty { members.append(.init("parameters", .object(values))) }
        return .object(members)
    }

    private struct Source {
        var repository: String?
        var revision: String?
        var ref: String?
        var branch: String?
    }

    /// What the master reads. Names of commits here are made ids, for they may name others there.
    private func source() throws(Failure) -> Source {
        if let repository {
            guard let rev else { return Source(repository: repository) }
            return WorkingCopy.isCommit(rev)
                ? Source(repository: repository, revision: rev)
                : Source(repository: repository, ref: rev)
        }
        try place.check()
        guard let here = WorkingCopy(around: try Places.absolute(place.directory)) else {
            throw .mistake(
                "there is no git repository here",
                hint: "Name one with --repository, or its folder with -C.")
        }
        if let rev {
            let commit: String
            do { commit = try here.commit(of: rev) } catch {
                throw .mistake(error.diagnostic.message, hint: error.diagnostic.hint)
            }
            return Source(repository: here.folder, revision: commit)
        }
        guard let commit = here.commit else {
            throw .mistake(
                "\(here.folder) has no commit yet",
                hint: "Commit first: the master reads what is committed.")
        }
        return Source(
            repository: here.folder, revision: commit,
            ref: here.branch.map { "refs/heads/\($0)" }, branch: here.branch)
    }

    private static func key() -> String {
        var generator = SystemRandomNumberGenerator()
        let (high, low) = (generator.next(), generator.next())
        return String(high, radix: 16) + "-" + String(low, radix: 16)
    }
}
