import ArgumentParser
import Executor

/// `danube rerun`.
struct RerunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rerun",
        abstract: "Run a job again, as it was asked for.",
        discussion: """
            Pipeline, parameters, event, branch, revision and the way of running are those of the \
            job; the danubefile and the files are those of now, unless the job had a revision. \
            Secrets are not recorded and have to be given again.
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
    @OptionGroup var execution: ExecutionOptions
    @OptionGroup var display: RunDisplayOptions

    func run() throws {
        var (command, earlier) = try again()
        command.execution = execution
        command.display = display
        try command.validate()
        try command.run(after: earlier)
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
