import ArgumentParser
import Compiler
import Executor
import Glibc
import PipelineIR

/// `danube why`.
struct WhyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "why",
        abstract: "Say why a step ran, or did not.",
        discussion: """
            A step that ran is compared with the latest earlier job that knows it: what changed \
            is why it ran. With --against it is compared with that job, also when it was a hit.
            """)

    @Argument(
        help: "The step, by its name, a part of it, or its id.",
        completion: .custom { words, _, _ in Jobs.stepCompletions(words) })
    var step: String

    @Option(
        help: ArgumentHelp("The job (default: the latest one here).", valueName: "job"),
        completion: .custom { _, _, _ in Jobs.completions() })
    var job: String?

    @Option(
        help: ArgumentHelp("An earlier job to compare with.", valueName: "job"),
        completion: .custom { _, _, _ in Jobs.completions() })
    var against: String?

    @Flag(help: "Print JSON instead of text.")
    var json = false

    @OptionGroup var place: DirectoryOptions
    @OptionGroup var remote: RemoteOptions
    @OptionGroup var colour: ColourOptions

    /// Steps of one name that are explained at once.
    private static let mostSteps = 20

    func run() throws {
        if let jobs = try remote.jobs() { return try run(on: jobs) }
        let jobs = try place.jobs()
        let job = try jobs.job(self.job)
        let other = try against.map { try jobs.job($0) }
        let found = try jobs.steps(step, of: job)
        // A step with a key is explained by what the key was made of; a large plan takes its time.
        let needsPlan = found.contains { $0.record.key == nil }
        let plan = needsPlan ? try Self.plan(of: job, jobs) : nil
        let finder = WhyFinder(jobs.history, cache: try CacheFolder.openIfPresent())
        var reports: [WhyReport] = []
        for step in found.prefix(Self.mostSteps) {
            do {
                let why = try finder.why(
                    step.id, step.record, of: job, plan: plan, against: other)
                reports.append(WhyReport(step: step, job: job, why: why, plan: plan, jobs: jobs))
            } catch {
                throw Failure.environment("why the step ran cannot be told: \(error)")
            }
        }
        let terminal = Terminal.of(STDOUT_FILENO, choice: colour.color)
        if json { return Output.out(try WhyReport.json(reports)) }
        var buffer = TextBuffer(colour: terminal.colour)
        for report in reports { try report.put(into: &buffer, columns: terminal.columns) }
        Output.out(terminal.shown(buffer))
        if found.count > reports.count {
            Output.err(
                "danube: note: \(found.count - reports.count) more steps have this name;"
                    + " name one by its id")
        }
    }

    /// The plan of a job, where history kept it.
    private static func plan(of job: JobRecord, _ jobs: Jobs) throws(Failure) -> Plan? {
        do throws(HistoryError) {
            guard let bytes = try jobs.history.planBytes(of: job) else { return nil }
            return try? PlanProto.decode(bytes)
        } catch {
            throw Jobs.failure(error)
        }
    }
}
