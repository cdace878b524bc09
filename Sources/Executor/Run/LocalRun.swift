internal import CSandbox
internal import Glibc
internal import PipelineIR

/// Runs a plan on this machine.
package struct LocalRun {
    private let configuration: RunConfiguration
    private let observer: any RunObserver

    /// Prepares a run.
    package init(_ configuration: RunConfiguration, observer: any RunObserver) {
        self.configuration = configuration
        self.observer = observer
    }

    /// Runs the plan to its end, and says what became of it. Throws when it cannot begin.
    package func run() throws -> RunSummary {
        let started = MonotonicClock.now()
        let plan = configuration.plan
        observer.began(
            RunDescription(
                job: configuration.job, plan: plan, digest: configuration.digest,
                expected: Array(repeating: 0, count: plan.steps.count),
                jobs: configuration.jobs, isInPlace: configuration.isInPlace, started: started))
        let store = try ContentStore("\(configuration.cacheFolder)/cas")
        let log = try JobLog(folder: configuration.jobFolder, redactor: try redactor())
        let place = try WorkPlace(configuration)
        defer { place.remove() }
        let table = try ProcessTable(token: configuration.job, ownsProgram: true)
        var configured = configuration
        configured.temporaryFolder = place.temporary
        let host = try host(store, place)
        let scheduler = Scheduler(
            configured, host: host, table: table, log: log, results: NoResults(),
            observer: observer, priority: nil)
        let outcome = scheduler.run()
        try? log.close(durable: true, at: .now())
        var summary = RunSummary(
            outcome: outcome.summary, message: outcome.message(plan),
            nanoseconds: MonotonicClock.now() &- started)
        summary.counts = scheduler.counts
        summary.artifacts = scheduler.artifacts.kept
        observer.ended(summary)
        return summary
    }

    private func redactor() throws -> Redactor {
        let secrets = configuration.secrets.named
        if secrets.isEmpty { return .none }
        return try Redactor(
            secrets: secrets.map { (name: $0.name, value: Array($0.value.utf8)) })
    }

    private func host(_ store: ContentStore, _ place: WorkPlace) throws -> any StepHost {
        let memory = DigestMemory(
            file: "\(configuration.cacheFolder)/digests/\(Digest(ofUTF8: configuration.root).hex)",
            folder: try Folder(configuration.root))
        if configuration.isInPlace {
            return try InPlaceHost(root: configuration.root, memory: memory, store: store)
        }
        let tree: FileTree
        if let revision = configuration.revision {
            tree = try CommitTree(configuration.root, store: store).tree(revision)
        } else {
            tree = try SourceTree.workingCopy(configuration.root, memory: memory, into: store)
        }
        try? memory.save()
        let base = try SourceBase(configuration.cacheFolder, store: store).layer(of: tree)
        return IsolatedHost(
            plan: configuration.plan, source: base, store: store,
            workspaces: try Workspaces(folder: place.folder))
    }
}

extension JobOutcome {
    /// The outcome as those who watch are told it.
    var summary: RunSummary.Outcome {
        switch self {
        case .succeeded: .success
        case .failed, .failedAtExit, .noExit: .failure
        case .live: .live
        case .cancelled: .cancelled
        }
    }

    /// What there is to say of it.
    func message(_ plan: Plan) -> String? {
        switch self {
        case .succeeded, .cancelled: nil
        case .failed(let step): "step `\(plan.steps[step.int].name)` failed"
        case .failedAtExit(let exit): plan.exits[exit].message
        case .live(let exit): plan.exits[exit].message
        case .noExit: "the plan has no end for this run"
        }
    }
}
