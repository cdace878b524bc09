import ArgumentParser
import Compiler
import Executor
import Glibc

/// `danube jobs`.
struct JobsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jobs",
        abstract: "List the jobs that ran on this machine or on a master, or show one.",
        discussion: """
            Without a job it lists the latest ones of this repository; outside of any, of all. A \
            job is named by its id, by the beginning or the end of it, or as `last`. With --remote \
            or --master it lists those of the master.
            """)

    @Argument(
        help: "The job.", completion: .custom { _, _, _ in Jobs.completions() })
    var job: String?

    @Flag(help: "List jobs of every repository.")
    var all = false

    @Option(
        name: [.customShort("n"), .long],
        help: ArgumentHelp("How many jobs are listed.", valueName: "count"))
    var limit = 20

    @Option(help: ArgumentHelp("List jobs of this pipeline alone.", valueName: "name"))
    var pipeline: String?

    @Option(
        help: ArgumentHelp(
            """
            List jobs in this state alone: running, succeeded, failed, cancelled, live or lost; on \
            a master: pending, scheduling, waiting, running, success, failure, timeout or cancelled.
            """,
            valueName: "state"))
    var state: String?

    @Flag(help: "Print JSON instead of a table.")
    var json = false

    @OptionGroup var place: DirectoryOptions
    @OptionGroup var remote: RemoteOptions
    @OptionGroup var colour: ColourOptions

    func validate() throws {
        guard (1...100_000).contains(limit) else {
            throw ValidationError("--limit \(limit) is not between 1 and 100000.")
        }
        if job != nil, all || pipeline != nil || state != nil {
            throw ValidationError("--all, --pipeline and --state are for lists; name no job.")
        }
    }

    func run() throws {
        let terminal = Terminal.of(STDOUT_FILENO, choice: colour.color)
        if let jobs = try remote.jobs() { return try run(on: jobs, terminal) }
        let jobs = try place.jobs()
        if let name = job {
            let found = try jobs.job(name)
            let steps = try jobs.steps(of: found)
            return Output.out(
                json
                    ? JobJSON.detail(found, steps)
                    : JobReport.detail(JobView(found), steps.map(StepView.init), on: terminal))
        }
        var filter = History.Filter()
        filter.most = limit
        filter.pipeline = pipeline
        filter.state = try state.map(Self.localState)
        if !all { filter.repository = jobs.repository }
        let found = try jobs.list(filter)
        if json { return Output.out(JobJSON.list(found)) }
        show(found.map(JobView.init), terminal)
    }

    private func run(on jobs: RemoteJobs, _ terminal: Terminal) throws(Failure) {
        if let name = job {
            let found = try jobs.job(name)
            let steps = try jobs.steps(of: found)
            return Output.out(
                json
                    ? found.json(steps).line
                    : JobReport.detail(JobView(found), steps.map(StepView.init), on: terminal))
        }
        var filter = RemoteJobs.Filter()
        filter.most = limit
        filter.pipeline = pipeline
        filter.state = state
        let found = try jobs.list(filter)
        if json {
            let list = JSONValue.object([.init("jobs", .array(found.map { $0.json() }))])
            return Output.out(list.line)
        }
        show(found.map(JobView.init), terminal)
    }

    private func show(_ jobs: [JobView], _ terminal: Terminal) {
        if jobs.isEmpty {
            Output.err("danube: note: no job matches")
        } else {
            Output.out(JobReport.list(jobs, on: terminal))
        }
    }

    private static func localState(_ text: String) throws(Failure) -> JobRecord.State {
        guard let state = JobRecord.State(rawValue: text) else {
            let words = JobRecord.State.allCases.map(\.rawValue).joined(separator: ", ")
            throw .mistake(
                "--state \(text) is not a state of jobs on this machine",
                hint: "They are \(words).")
        }
        return state
    }
}
