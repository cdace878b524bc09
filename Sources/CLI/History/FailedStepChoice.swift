import Executor
import Glibc

/// Finds the step that a person wants to look at, among those that failed.
struct FailedStepChoice {
    let job: JobRecord
    let step: FailedStep
    let held: FailedJobs.Held

    /// Jobs that are looked through.
    private static let mostJobs = 50

    /// The step of a name in a job; without one in the latest job here in which it failed.
    static func find(
        _ name: String, job: String?, in jobs: Jobs
    ) throws(Failure) -> FailedStepChoice {
        let chosen = try job.map { job throws(Failure) in try jobs.job(job) }
        let (record, step) =
            if let chosen { (chosen, try failed(name, in: chosen, jobs)) } else {
                try latest(name, jobs)
            }
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
            return FailedStepChoice(job: record, step: kept, held: held)
        }
    }

    private static func isFailed(_ step: JobStep) -> Bool {
        step.record.state == .failed || step.record.state == .lost
    }

    /// The one step of a name that failed in a job.
    private static func failed(
        _ name: String, in job: JobRecord, _ jobs: Jobs
    ) throws(Failure) -> JobStep {
        let named = try jobs.steps(name, of: job)
        let failed = named.filter(isFailed)
        if let step = failed.first, failed.count == 1 { return step }
        let shown = "`\(DisplayText.escaped(named.first?.name ?? name))`"
        if failed.isEmpty {
            let state = named.first?.record.state.word ?? "open"
            let others = try jobs.steps(of: job).filter(isFailed).prefix(5).map {
                "`\(DisplayText.escaped($0.name))`"
            }
            throw .mistake(
                "\(shown) did not fail in job \(job.id): \(state)",
                hint: others.isEmpty
                    ? "No step of it did; `danube jobs` lists others."
                    : "What failed is \(others.joined(separator: ", ")).")
        }
        let ids = failed.prefix(10).map(\.id).joined(separator: ", ")
        throw .mistake(
            "\(failed.count) steps of job \(job.id) are called \(shown) and failed",
            hint: "Name one by its id: \(ids).")
    }

    /// The latest job here in which a step of the name failed.
    private static func latest(
        _ name: String, _ jobs: Jobs
    ) throws(Failure) -> (JobRecord, JobStep) {
        var filter = History.Filter()
        filter.repository = jobs.repository
        filter.most = mostJobs
        let all = try jobs.list(filter)
        for job in all {
            guard let named = try? jobs.steps(name, of: job), named.contains(where: isFailed)
            else { continue }
            return (job, try failed(name, in: job, jobs))
        }
        // The latest one says best what is wrong with the name.
        let last = try jobs.job(nil)
        return (last, try failed(name, in: last, jobs))
    }
}
