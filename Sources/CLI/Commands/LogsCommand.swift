import ArgumentParser
import Executor
import Glibc

/// `danube logs`.
struct LogsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs",
        abstract: "Print what the steps of a job printed.",
        discussion: """
            `danube logs` prints the latest job of this repository, each line after the name of \
            its step. With a step it prints what that step printed, byte for byte; on a terminal \
            everything but colours is made harmless. A name alone is a job's when a job has it, \
            else a step's of the latest job.
            """)

    @Argument(
        help: "The job, by its id, or `last`.",
        completion: .custom { words, _, _ in Jobs.completions() + Jobs.stepCompletions(words) })
    var job: String?

    @Argument(
        help: "The step, by its name, a part of it, or its id.",
        completion: .custom { words, _, _ in Jobs.stepCompletions(words) })
    var step: String?

    @Flag(name: .shortAndLong, help: "Go on while the job runs.")
    var follow = false

    @Flag(help: "Put the time before each line.")
    var timestamps = false

    @Option(help: ArgumentHelp("Print this attempt alone, from 1.", valueName: "number"))
    var attempt: Int?

    @Flag(help: "Print a JSON object for each line.")
    var json = false

    @OptionGroup var place: DirectoryOptions
    @OptionGroup var remote: RemoteOptions
    @OptionGroup var colour: ColourOptions

    func validate() throws {
        if let attempt, attempt < 1 {
            throw ValidationError("--attempt \(attempt) is not a number from 1 on.")
        }
    }

    func run() throws {
        if let jobs = try remote.jobs() { return try run(on: jobs) }
        let jobs = try place.jobs()
        let (found, wanted) = try choose(jobs)
        let steps = try jobs.steps(of: found)
        let terminal = Terminal.of(STDOUT_FILENO, choice: colour.color)
        let form = form(isOneStep: wanted?.count == 1, isAll: wanted == nil)
        var printer = LogPrinter(form, steps: steps, on: terminal)
        let numbers = wanted.map { Set($0.map(\.record.step)) }
        do throws(LogError) {
            try print(jobs.history.folder(of: found.id), &printer) { key in
                guard let numbers else { return attempt == nil || key?.attempt == attempt }
                guard let key, numbers.contains(key.step) else { return false }
                return attempt == nil || key.attempt == attempt
            }
        } catch {
            throw Failure.environment(
                "the log of job \(found.id) cannot be read: \(error)", hint: error.hint)
        }
        if !printer.hasPrinted {
            explain(found, wanted)
        } else if case .plain = form {
            for step in wanted ?? [] where step.record.outputBytes > 0 {
                guard let job = source(of: step, found) else { continue }
                let name = DisplayText.escaped(step.name)
                Output.err("danube: note: `\(name)` is from the cache: job \(job) printed this")
            }
        }
    }

    /// How what is wanted is printed.
    func form(isOneStep: Bool, isAll: Bool) -> LogPrinter.Form {
        if json { return .json }
        return isAll || timestamps ? .lines(names: !isOneStep, times: timestamps) : .plain
    }

    /// The job, and the steps if not all.
    private func choose(_ jobs: Jobs) throws(Failure) -> (JobRecord, [JobStep]?) {
        guard let job else { return (try jobs.job(nil), nil) }
        if let step {
            let found = try jobs.job(job)
            return (found, try jobs.steps(step, of: found))
        }
        if let found = try jobs.find(job) { return (found, nil) }
        let latest = try jobs.job(nil)
        do throws(Failure) {
            return (latest, try jobs.steps(job, of: latest))
        } catch {
            guard case .mistake(let message, let hint) = error, message.contains("has no step")
            else { throw error }
            throw .mistake(
                "there is no job `\(DisplayText.escaped(job))`, and \(message)", hint: hint)
        }
    }

    private func print(
        _ folder: String, _ printer: inout LogPrinter, where wanted: (AttemptKey?) -> Bool
    ) throws(LogError) {
        let reader = try LogReader(folder: folder)
        while let chunk = try reader.next(where: wanted) { printer.put(chunk) }
        if follow, !reader.hasEnded {
            let follower = try LogFollower(reader)
            following: while true {
                switch follower.wait() {
                case .more: while let chunk = try reader.next(where: wanted) { printer.put(chunk) }
                case .ended: break following
                case .interrupted:
                    Output.err("danube: note: the process that ran the job is gone")
                    break following
                }
            }
        }
        printer.finish()
    }

    /// The other job that a step's result was made in, where it was taken from the cache.
    private func source(of step: JobStep, _ job: JobRecord) -> JobID? {
        guard step.record.state == .cached else { return nil }
        return (step.record.source ?? job.repeats).flatMap { $0 == job.id ? nil : $0 }
    }

    private func explain(_ job: JobRecord, _ wanted: [JobStep]?) {
        if let step = wanted?.first, wanted?.count == 1 {
            let name = DisplayText.escaped(step.name)
            switch step.record.state {
            case .skipped, .blocked, .cancelled:
                if step.record.attempts.isEmpty {
                    let why = step.record.reason.isEmpty ? "" : ": \(step.record.reason)"
                    return Output.err(
                        DisplayText.escaped(
                            "danube: note: `\(name)` did not run"
                                + " (\(step.record.state.word))\(why)"))
                }
            case .cached:
                let from = source(of: step, job)
                let hint = from.map { "; `danube logs \($0)` has what it printed then" }
                return Output.err(
                    "danube: note: `\(name)` was taken from the cache\(hint ?? "")")
            default: break
            }
            return Output.err("danube: note: `\(name)` printed nothing")
        }
        let repeated = job.repeats.map { "; it is the same as job \($0)" } ?? ""
        Output.err("danube: note: nothing was printed in job \(job.id)\(repeated)")
    }
}
