import ArgumentParser
import Executor
import Glibc

/// `danube jobs`.
struct JobsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jobs",
        abstract: "List the jobs that ran on this machine, or show one.",
        discussion: """
            Without a job it lists the latest ones of this repository; outside of any, of all. A \
            job is named by its id, by the beginning or the end of it, or as `last`.
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
            "List jobs in this state alone: running, succeeded, failed, cancelled, live or lost.",
            valueName: "state"))
    var state: JobRecord.State?

    @Flag(help: "Print JSON instead of a table.")
    var json = false

    @OptionGroup var place: DirectoryOptions
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
        let jobs = try place.jobs()
        if let name = job {
            let found = try jobs.job(name)
            let steps = try jobs.steps(of: found)
            return Output.out(
                json
                    ? JobJSON.detail(found, steps)
                    : JobReport.detail(found, steps, on: terminal))
        }
        var filter = History.Filter()
        filter.most = limit
        filter.pipeline = pipeline
        filter.state = state
        if !all { filter.repository = jobs.repository }
        let found = try jobs.list(filter)
        if json { return Output.out(JobJSON.list(found)) }
        if found.isEmpty {
            Output.err("danube: note: no job matches")
        } else {
            Output.out(JobReport.list(found, on: terminal))
        }
    }
}

extension JobRecord.State: ExpressibleByArgument {}
