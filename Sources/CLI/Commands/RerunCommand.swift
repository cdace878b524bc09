import ArgumentParser
import Compiler
import Executor

/// `danube rerun`.
struct RerunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rerun",
        abstract: "Run a job again, as it was asked for.",
        discussion: """
            Pipeline, parameters, event, branch, revision and the way of running are those of the \
            job; the danubefile and the files are those of now, unless the job had a revision. \
            Secrets are not recorded and have to be given again. A job of a master (--remote or \
            --master) runs again there, with the master's secrets; its id is printed.
            """)

    @Argument(
        help: "The job (default: the latest of this repository).",
        completion: .custom { _, _, _ in Jobs.completions() })
    var job: String?

    @Flag(
        help: """
            Run the steps that failed and those that depend on them. In a workspace of their own, \
            steps before them that are not cached run too.
            """)
    var failed = false

    @OptionGroup var place: DirectoryOptions
    @OptionGroup var remote: RemoteOptions
    @OptionGroup var execution: ExecutionOptions
    @OptionGroup var display: RunDisplayOptions

    func run() throws {
        if let jobs = try remote.jobs() { return try run(on: jobs) }
        var (command, earlier) = try again()
        command.execution = execution
        command.display = display
        try command.validate()
        try command.run(after: earlier)
    }

    private func run(on jobs: RemoteJobs) throws(Failure) {
        let given = execution.secrets
        guard execution.jobs == nil, given.named.isEmpty, given.files.isEmpty, !display.quiet,
            !display.explain
        else {
            throw .mistake(
                "--jobs, --secret, --secret-file, --quiet and --explain are for this machine",
                hint: "A master has its own: `danube secret ls` names its secrets.")
        }
        let id = try jobs.id(of: job)
        var call = MasterClient.Call(.post, "jobs", id, "rerun")
        call.body = .object([.init("failed", .bool(failed))])
        // Asked twice, it would run twice.
        call.isRepeatable = false
        let started = try jobs.ask(call)
        if display.json { return Output.out(started.json().line) }
        var buffer = TextBuffer()
        buffer.safe(started.id)
        buffer.newline()
        Output.out(buffer)
    }

    private func again() throws -> (RunCommand, EarlierJob?) {
        let history = try place.jobs()
        let found = try history.job(job)
        guard let words = JobOrder.read(history.history.folder(of: found.id)) else {
            throw Failure.mistake(
                "job \(found.id) has no record of how it was asked for",
                hint: "It is older than this danube: start it with `danube run`.")
        }
        let command: RunCommand
        do { command = try RunCommand.parse(words) } catch {
            throw Failure.environment(
                "the record of job \(found.id) cannot be read",
                hint: "Start it with `danube run`.")
        }
        if failed {
            let steps = try history.steps(of: found)
            let hasFailed = steps.contains {
                switch $0.record.state {
                case .succeeded, .cached, .skipped: false
                default: true
                }
            }
            guard hasFailed else {
                throw Failure.mistake(
                    "no step of job \(found.id) failed",
                    hint: "Run all of it again with `danube rerun \(found.id)`.")
            }
            let earlier = EarlierJob(job: found.id, steps: steps.map { ($0.id, $0.record) })
            return (command, earlier)
        }
        return (command, nil)
    }
}
