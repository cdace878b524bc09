import Glibc

/// `danube logs` of a job on a master.
extension LogsCommand {
    func run(on jobs: RemoteJobs) throws(Failure) {
        guard attempt == nil else {
            throw .mistake("--attempt is for jobs on this machine")
        }
        let (found, wanted) = try choose(jobs)
        let terminal = Terminal.of(STDOUT_FILENO, choice: colour.color)
        let form = form(isOneStep: wanted?.count == 1, isAll: wanted == nil)
        let printer = RemotePrinter(form, on: terminal)
        let log = RemoteLog(found, of: jobs.master)
        if case .plain = form, let step = wanted?.first, wanted?.count == 1 {
            try log.bytes(of: step.name, follows: follow, into: printer)
        } else {
            let names = wanted.map { Set($0.map(\.name)) }
            if wanted == nil { printer.learn(try jobs.steps(of: found)) }
            // The log of a job that has ended has an end, and is not whole without it.
            _ = try log.events(
                follows: follow || found.isTerminal, where: names.map { $0.contains },
                into: printer)
        }
        if !printer.hasPrinted {
            let step = wanted?.first.map { "`\($0.name)` printed nothing" }
            Output.err(
                DisplayText.escaped(
                    "danube: note: \(step ?? "nothing was printed") in job \(found.id)"))
        }
    }

    /// The job, and the steps if not all.
    private func choose(_ jobs: RemoteJobs) throws(Failure) -> (RemoteJob, [RemoteStep]?) {
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
            guard case .mistake(let message, let hint) = error else { throw error }
            throw .mistake(
                "there is no job `\(DisplayText.escaped(job))`, and \(message)", hint: hint)
        }
    }
}
