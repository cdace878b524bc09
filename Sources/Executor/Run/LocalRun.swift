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

    /// Runs the plan to its end, and says what became of it. `earlier` is what a job like this one
    /// had looked at, with what has changed since. Throws when the run cannot begin.
    package func run(after earlier: (memo: JobMemo, changed: [UInt32])? = nil) throws -> RunSummary {
        let started = MonotonicClock.now()
        let plan = configuration.plan
        observer.began(
            RunDescription(
                job: configuration.job, plan: plan, digest: configuration.digest,
                expected: Array(repeating: 0, count: plan.steps.count),
                jobs: configuration.jobs, isInPlace: configuration.isInPlace, started: started))
        let cache = try ActionCache(configuration.cacheFolder)
        for name in ["jobs", "digests"] {
            try Workspaces.makeFolder("\(configuration.cacheFolder)/\(name)")
        }
        let log = try JobLog(folder: configuration.jobFolder, redactor: try redactor())
        let place = try WorkPlace(configuration)
        defer { place.remove() }
        var configured = configuration
        configured.temporaryFolder = place.temporary
        let folder = try Folder(configuration.root)
        let memory = DigestMemory(
            file: "\(configuration.cacheFolder)/digests/\(Digest(ofUTF8: configuration.root).hex)",
            folder: folder)
        let trace = RunTrace(count: plan.steps.count)
        let results: any ResultKeeper =
            configuration.usesCache
            ? CachedResults(configured, cache: cache, salt: try salt(), trace: trace)
            : NoResults()
        let scheduler = Scheduler(
            configured, host: try host(cache.store, place, memory),
            table: try ProcessTable(token: configuration.job, ownsProgram: true), log: log,
            results: results, trace: trace,
            memo: earlier.map { MemoState($0.memo, changed: $0.changed) }, observer: observer,
            priority: nil)
        let outcome = scheduler.run()
        finish { try log.close(durable: true, at: .now()) }
        finish { try cache.flush() }
        finish { try memory.save() }
        if let file = configuration.memoFile {
            finish { try remember(outcome, trace, earlier?.memo, folder, memory, file) }
        }
        var summary = RunSummary(
            outcome: outcome.summary, message: outcome.message(plan),
            nanoseconds: MonotonicClock.now() &- started)
        summary.counts = scheduler.counts
        summary.artifacts = scheduler.artifacts.kept
        observer.ended(summary)
        return summary
    }

    /// Does something at the end of a run whose failure does not make the run one.
    private func finish(_ work: () throws -> Void) {
        do { try work() } catch { observer.told(RunMessage(.warning, "\(error)")) }
    }

    private func remember(
        _ outcome: JobOutcome, _ trace: RunTrace, _ earlier: JobMemo?, _ folder: Folder,
        _ memory: DigestMemory, _ file: JobMemoFile
    ) throws {
        guard outcome == .succeeded,
            let memo = trace.memo(
                of: configuration.plan, job: configuration.job, after: earlier, folder: folder,
                memory: memory)
        else { return file.remove() }
        try file.write(memo)
    }

    /// What this machine's secret versions are made with: known to nobody else.
    private func salt() throws -> [UInt8] {
        let path = "\(configuration.cacheFolder)/salt"
        if let known = AtomicFile.read(path, most: 1024), known.count == 32 { return known }
        var random = SystemRandomNumberGenerator()
        let salt = (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &random) }
        try AtomicFile.write(salt, to: path)
        return salt
    }

    private func redactor() throws -> Redactor {
        let secrets = configuration.secrets.named
        if secrets.isEmpty { return .none }
        return try Redactor(
            secrets: secrets.map { (name: $0.name, value: Array($0.value.utf8)) })
    }

    private func host(
        _ store: ContentStore, _ place: WorkPlace, _ memory: DigestMemory
    ) throws -> any StepHost {
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
