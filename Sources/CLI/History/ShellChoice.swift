import Compiler
import Executor
import Glibc
import PipelineIR

/// Finds the step that a person wants to look at: one that failed above all, else one whose result
/// is in the cache.
struct ShellChoice {
    let job: JobRecord
    let step: FailedStep
    let source: StepShell.Source
    /// What became of it, as the end of "step … of job …".
    let ending: String

    /// Jobs that are looked through.
    private static let mostJobs = 50

    /// The step of a name in a job; without one in the latest job here in which it failed, or else
    /// in which its result was made or taken.
    static func find(
        _ name: String, job: String?, in jobs: Jobs
    ) throws(Failure) -> ShellChoice {
        let chosen = try job.map { job throws(Failure) in try jobs.job(job) }
        let (record, step) =
            if let chosen { (chosen, try step(name, in: chosen, jobs)) } else {
                try latest(name, jobs)
            }
        return isFailed(step) ? try kept(step, record) : try cached(step, record, jobs)
    }

    private static func kept(
        _ step: JobStep, _ record: JobRecord
    ) throws(Failure) -> ShellChoice {
        if record.state == .running {
            throw .mistake(
                "job \(record.id) still runs",
                hint: "Workspaces are kept when it has ended; `danube logs -f` follows it.")
        }
        let shown = "`\(DisplayText.escaped(step.name))`"
        let again = "Run it again: danube rerun \(record.id)."
        let holding: FailedJobs.Holding
        do { holding = try FailedJobs(try Places().cache).hold(record.id.text) } catch {
            throw .environment("the workspace of \(shown) cannot be opened: \(error)")
        }
        switch holding {
        case .busy:
            throw .mistake(
                "job \(record.id) is open in another danube shell", hint: "Leave that one first.")
        case .absent:
            throw .mistake(
                "the workspace of \(shown) in job \(record.id) is not kept"
                    + " (any more): only those of the last \(FailedJobs.mostJobs) jobs that failed"
                    + " are, within \(SizeText.bytes(FailedJobs.mostBytes))", hint: again)
        case .held(let held):
            guard let kept = held.step(step.record.step) else {
                held.release()
                throw .mistake(
                    "nothing is kept of \(shown) in job \(record.id): it never began, is damaged,"
                        + " or \(FailedJobs.mostSteps) others had failed before", hint: again)
            }
            return ShellChoice(
                job: record, step: kept, source: .kept(held), ending: "failed: \(kept.ending)")
        }
    }

    /// A step that succeeded, as the cache knows it.
    private static func cached(
        _ step: JobStep, _ record: JobRecord, _ jobs: Jobs
    ) throws(Failure) -> ShellChoice {
        let shown = "`\(DisplayText.escaped(step.name))`"
        let again = "Run it again: danube rerun \(record.id)."
        guard let key = step.record.key.map({ ActionKey($0) }) else {
            throw .mistake(
                "nothing is kept of \(shown) in job \(record.id): it succeeded, and its result is"
                    + " not one for the cache",
                hint: "A step that fails is kept, and one that is cached: danube why \(step.id).")
        }
        do {
            let cacheFolder = try Places().cache
            let cache = try ActionCache(cacheFolder)
            guard let result = try cache.find(key), let manifest = try cache.manifest(of: key),
                let bytes = try jobs.history.planBytes(of: record),
                let plan = try? PlanProto.decode(bytes),
                plan.steps.indices.contains(step.record.step)
            else {
                throw Failure.mistake(
                    "the result of \(shown) in job \(record.id) is not in the cache any more",
                    hint: again)
            }
            let found = CachedStep(
                StepIndex(step.record.step), of: plan, manifest, outputs: result.outputs,
                job: record, cacheFolder: cacheFolder)
            return ShellChoice(
                job: record, step: found.step, source: .cached(found.files),
                ending: step.record.state == .cached ? "came from the cache" : "succeeded")
        } catch let failure as Failure {
            throw failure
        } catch {
            throw .environment("the workspace of \(shown) cannot be opened: \(error)", hint: again)
        }
    }

    private static func isDone(_ step: JobStep) -> Bool {
        step.record.state == .succeeded || step.record.state == .cached
    }

    private static func isFailed(_ step: JobStep) -> Bool {
        step.record.state == .failed || step.record.state == .lost
    }

    /// The one step of a name in a job: one that failed, or else one that succeeded.
    private static func step(
        _ name: String, in job: JobRecord, _ jobs: Jobs
    ) throws(Failure) -> JobStep {
        let named = try jobs.steps(name, of: job)
        let failed = named.filter(isFailed)
        let found = failed.isEmpty ? named.filter(isDone) : failed
        if let step = found.first, found.count == 1 { return step }
        let shown = "`\(DisplayText.escaped(named.first?.name ?? name))`"
        if found.isEmpty {
            let state = named.first?.record.state.word ?? "open"
            let others = try jobs.steps(of: job).filter(isFailed).prefix(5).map {
                "`\(DisplayText.escaped($0.name))`"
            }
            throw .mistake(
                "\(shown) did not run in job \(job.id): \(state)",
                hint: others.isEmpty
                    ? "`danube jobs` lists others."
                    : "What failed is \(others.joined(separator: ", ")).")
        }
        let ids = found.prefix(10).map(\.id).joined(separator: ", ")
        throw .mistake(
            "\(found.count) steps of job \(job.id) are called \(shown)"
                + (failed.isEmpty ? "" : " and failed"),
            hint: "Name one by its id: \(ids).")
    }

    /// The latest job here in which a step of the name failed, or else in which it succeeded.
    private static func latest(
        _ name: String, _ jobs: Jobs
    ) throws(Failure) -> (JobRecord, JobStep) {
        var filter = History.Filter()
        filter.repository = jobs.repository
        filter.most = mostJobs
        let all = try jobs.list(filter)
        for isWanted in [isFailed, isDone] {
            for job in all {
                guard let named = try? jobs.steps(name, of: job), named.contains(where: isWanted)
                else { continue }
                return (job, try step(name, in: job, jobs))
            }
        }
        // The latest one says best what is wrong with the name.
        let last = try jobs.job(nil)
        return (last, try step(name, in: last, jobs))
    }
}
