internal import CSandbox
internal import Glibc
internal import PipelineIR

/// Runs a plan on this machine.
package struct LocalRun {
    private let configuration: RunConfiguration
    let observer: any RunObserver
    /// With fewer changed paths, what is known of all others is not looked at.
    private static let smallChange = 64

    /// Prepares a run.
    package init(_ configuration: RunConfiguration, observer: any RunObserver) {
        self.configuration = configuration
        self.observer = observer
    }

    /// Runs the plan to its end, and says what became of it. `earlier` is what a job like this one
    /// had looked at, with what has changed since. Throws when the run cannot begin.
    package func run(after earlier: (memo: JobMemo, changed: [UInt32])? = nil) throws -> RunSummary
    {
        let started = MonotonicClock.now()
        let cache = try ActionCache(configuration.cacheFolder)
        let usage = try CacheUsage(configuration.cacheFolder)
        // Where little is to be done, what is known of the rest is of no use. It is asked before
        // this job is recorded: the thread that does so would have to be waited for.
        let isSmall = (earlier?.changed.count ?? .max) < Self.smallChange
        let known = expected(isUseful: !isSmall && configuration.jobFolder == nil)
        let recorder = try self.recorder()
        var configured = configuration
        configured.job = recorder.id.text
        finish { if configuration.jobFolder == nil { try writeOrder(recorder) } }
        let place = try WorkPlace(configured)
        defer { place.remove() }
        configured.temporaryFolder = place.temporary
        observer.began(
            RunDescription(
                job: configured.job, plan: configured.plan, digest: configured.digest.description,
                expected: known, jobs: configured.jobs, isInPlace: configured.isInPlace,
                started: started))
        let folder = try Folder(configured.root)
        let memory = try memory(of: folder, isForLittle: isSmall)
        let trace = RunTrace(count: configured.plan.steps.count)
        let containers = try containers(configured, place)
        let remote = try remoteCache(configured, cache)
        let results = try results(configured, cache, trace, recorder, containers, remote)
        let host = try host(cache.store, place, memory)
        let scheduler = Scheduler(
            configured, host: host,
            table: try ProcessTable(token: configured.job, ownsProgram: true), recorder: recorder,
            results: results, trace: trace,
            memo: earlier.map { MemoState($0.memo, changed: $0.changed) }, observer: observer,
            priority: CriticalPath(configured.plan, durations: known).priorities)
        scheduler.containers = containers
        if let remote { try scheduler.table.watch(remote.descriptor) }
        if let sharing = configured.sharing { try scheduler.share(sharing) }
        scheduler.settled =
            configured.earlier?.settled(configured.plan, isInPlace: configured.isInPlace) ?? []
        let outcome = try run(scheduler, host)
        var kept: Set<StepIndex> = []
        finish("The workspaces of steps that failed cannot be kept") {
            if configured.jobFolder == nil { kept = try scheduler.failures.keep(configured) }
        }
        // History is written meanwhile.
        let untold = recorder.end(outcome.state)
        remote.map { finish($0, isAwaited: outcome != .cancelled) }
        finish { try cache.flush() }
        finish { try memory.save() }
        let isKnown = outcome == .succeeded && containers == nil
        remember(isKnown ? trace : nil, configured, earlier?.memo, host, folder, memory)
        for error in untold.map({ $0 + recorder.waitForWriter() }) ?? [] {
            observer.told(RunMessage(.warning, "\(error)", hint: error.hint))
        }
        let summary = summary(scheduler, outcome, since: started, reopenable: kept)
        observer.ended(summary)
        // Nobody waits for it, and what it cannot do now the next run can.
        _ = try? usage.grow(cache, budgetBytes: configured.cacheBudget)
        return summary
    }

    private func run(
        _ scheduler: Scheduler, _ host: any StepHost
    ) throws(ResumeError) -> JobOutcome {
        defer { host.close() }
        return try scheduler.run()
    }

    private func memory(of folder: Folder, isForLittle: Bool) throws -> DigestMemory {
        for name in ["jobs", "digests"] {
            try Workspaces.makeFolder("\(configuration.cacheFolder)/\(name)")
        }
        return DigestMemory(
            of: configuration.root, folder: folder, cacheFolder: configuration.cacheFolder,
            isForLittle: isForLittle)
    }

    /// Keeps a memo of what a job did, or removes the one that is there. Nothing is kept of a job
    /// that failed, or that used images: a memo knows files only.
    private func remember(
        _ trace: RunTrace?, _ configured: RunConfiguration, _ earlier: JobMemo?,
        _ host: any StepHost, _ folder: Folder, _ memory: DigestMemory
    ) {
        guard let file = configured.memoFile else { return }
        let source = (host as? IsolatedHost)?.sourceDigest
        let (plan, job, digest) = (configured.plan, configured.job, configured.digest)
        let memo =
            if let source {
                trace?.memo(
                    of: plan, job: job, digest: digest, source: source, folder: folder,
                    memory: memory)
            } else {
                trace?.memo(
                    of: plan, job: job, digest: digest, after: earlier, folder: folder,
                    memory: memory)
            }
        finish { if let memo { try file.write(memo) } else { file.remove() } }
    }

    private func summary(
        _ scheduler: Scheduler, _ outcome: JobOutcome, since started: UInt64,
        reopenable: Set<StepIndex>
    ) -> RunSummary {
        var summary = RunSummary(
            outcome: outcome.summary, message: message(outcome, scheduler.schedule),
            nanoseconds: MonotonicClock.now() &- started)
        summary.counts = scheduler.counts
        summary.reopenable = reopenable
        summary.artifacts = scheduler.artifacts.kept
        let reports = TestReports(scheduler.artifacts.reports)
        summary.tests = (reports.total, reports.failed, reports.skipped)
        summary.failedTests = reports.failures
        for problem in reports.problems {
            observer.told(
                RunMessage(.warning, "\(problem.path) is no JUnit report: \(problem.reason)"))
        }
        return summary
    }

    /// What there is to say of an outcome.
    private func message(_ outcome: JobOutcome, _ schedule: Schedule) -> String? {
        let steps: [StepIndex]
        switch outcome {
        case .failed(let step): steps = [step]
        case .failedAtExit: steps = schedule.endOrder
        default: steps = []
        }
        guard
            let (step, reason) = steps.lazy.compactMap({ step -> (StepIndex, String)? in
                if case .lost(let reason) = schedule.state(of: step) { (step, reason) } else { nil }
            }).first
        else { return outcome.message(configuration.plan) }
        return "lost: step `\(configuration.plan.steps[step.int].name)`: \(reason), "
            + "and it may not be tried again"
    }

    private func containers(
        _ configured: RunConfiguration, _ place: WorkPlace
    ) throws -> Containers? {
        guard !configured.allowsHost, Containers.areNeeded(by: configured.plan) else { return nil }
        let containers = try Containers(configured, place: place.folder)
        guard configured.usesCache else { return containers }
        containers.fetch { image in
            observer.told(RunMessage(.note, "Fetching the image \(image)"))
        }
        return containers
    }

    private func results(
        _ configured: RunConfiguration, _ cache: ActionCache, _ trace: RunTrace,
        _ recorder: JobRecorder, _ containers: Containers?, _ remote: RemoteCache?
    ) throws -> any ResultKeeper {
        guard configured.usesCache else { return NoResults() }
        let results = CachedResults(
            configured, cache: cache, salt: try salt(), trace: trace,
            containers: containers, failures: JobManifests(folder: recorder.folder),
            remote: remote)
        results.notKept = { [observer] step, changes in
            observer.told(
                RunMessage(
                    .warning,
                    "Its result is not kept, as inputs changed while it ran: "
                        + changes.joined(separator: ", "),
                    hint: "Leave what it writes itself out of inputs=.", step: step))
        }
        results.logNotKept = { [observer] step, problem in
            observer.told(
                RunMessage(
                    .warning, "What it printed is not kept with its result: \(problem)",
                    step: step))
        }
        guard configured.explains else { return results }
        let reasons: MissReasons?
        do {
            reasons = try History(folder: configured.stateFolder).map {
                try MissReasons(
                    $0, cache: cache, repository: configured.root,
                    pipeline: configured.plan.pipeline, mode: configured.mode,
                    job: configured.job)
            }
        } catch {
            observer.told(RunMessage(.warning, "Reasons cannot be told: \(error)"))
            return results
        }
        results.explain = { step, manifest in
            reasons?.reasons(configured.plan.steps[step.int].id, manifest)
                ?? [MissReasons.neverRan]
        }
        return results
    }

    /// Records that a job would do nothing, as its memo says. What killed jobs left is
    /// cleaned up as by any other run.
    package static func record(
        unchanged memo: JobMemo, root: String, trigger: String, cacheFolder: String,
        stateFolder: String, order: [String]
    ) throws {
        WorkPlace.removeDead(in: cacheFolder, seesProcesses: true)
        var job = JobDescription(
            repository: root, pipeline: memo.pipeline, plan: memo.digest,
            mode: memo.source == nil ? "in-place" : "isolated",
            steps: [])
        job.trigger = trigger
        job.repeats = JobID(memo.job)
        let recorder = try JobRecorder(stateFolder: stateFolder, job: job)
        try JobOrder.write(order, to: recorder.folder)
        _ = recorder.finish(.succeeded)
    }

    private func writeOrder(_ recorder: JobRecorder) throws {
        try JobOrder.write(configuration.order, to: recorder.folder)
    }

    private func recorder() throws -> JobRecorder {
        let redactor = try redactor()
        if let folder = configuration.jobFolder {
            return try JobRecorder(folder, redactor: redactor)
        }
        return try JobRecorder(
            stateFolder: configuration.stateFolder, job: description(), redactor: redactor)
    }

    private func description() -> JobDescription {
        let plan = configuration.plan
        var job = JobDescription(
            repository: configuration.root, pipeline: plan.pipeline, plan: configuration.digest,
            mode: configuration.mode,
            steps: plan.steps.indices.map {
                JobDescription.Step(id: plan.steps[$0].id, name: plan.steps[$0].name)
            })
        job.trigger = configuration.trigger
        job.branch = configuration.branch
        job.revision = configuration.revision
        job.planBytes = configuration.planBytes
        return job
    }

    /// How long each step took of late, in nanoseconds; 0 where that is not known.
    private func expected(isUseful: Bool) -> [UInt64] {
        let plan = configuration.plan
        guard isUseful, let history = try? History(folder: configuration.stateFolder),
            let known = try? history.expectedDurations(
                repository: configuration.root, pipeline: plan.pipeline)
        else { return Array(repeating: 0, count: plan.steps.count) }
        return plan.steps.indices.map { index in
            guard let duration = known[plan.steps[index].id] else { return 0 }
            let (seconds, attoseconds) = duration.components
            return UInt64(clamping: seconds) &* 1_000_000_000
                &+ UInt64(clamping: attoseconds / 1_000_000_000)
        }
    }

    /// Does something at the end of a run whose failure does not make the run one.
    private func finish(_ what: String? = nil, _ work: () throws -> Void) {
        do { try work() } catch {
            observer.told(RunMessage(.warning, what.map { "\($0): \(error)" } ?? "\(error)"))
        }
    }

    /// What this machine's secret versions are made with: known to nobody else.
    private func salt() throws -> [UInt8] {
        let path = "\(configuration.cacheFolder)/salt"
        if let known = Self.knownSalt(configuration.cacheFolder) { return known }
        var random = SystemRandomNumberGenerator()
        let salt = (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &random) }
        try AtomicFile.write(salt, to: path)
        return salt
    }

    /// The salt, if there is one already.
    static func knownSalt(_ cacheFolder: String) -> [UInt8]? {
        AtomicFile.read("\(cacheFolder)/salt", most: 1024).flatMap { $0.count == 32 ? $0 : nil }
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
            tree = try CommitMemo(configuration.cacheFolder, store: store)
                .tree(of: revision, in: configuration.root)
        } else {
            tree = try SourceTree.workingCopy(configuration.root, memory: memory, into: store)
        }
        try? memory.save()
        let base = try SourceFolders(configuration.cacheFolder, store: store).layer(of: tree)
        let workspaces = try Workspaces(
            folder: place.folder,
            mayMount: configuration.namespaces & Int32(DANUBE_OWN_MOUNTS) != 0,
            view: Workspaces.view(in: configuration.cacheFolder))
        if configuration.earlierRun?.hasLanes == true {
            if workspaces.isCopying { throw ResumeError.copied }
            try workspaces.skipUsed()
        }
        return IsolatedHost(
            plan: configuration.plan, source: base, store: store, workspaces: workspaces,
            records: configuration.jobFolder == nil ? nil : try WorkspaceRecords(place.folder))
    }
}

extension JobOutcome {
    /// The outcome as history keeps it.
    var state: JobRecord.State {
        switch self {
        case .succeeded: .succeeded
        case .failed, .failedAtExit, .failedToJoin, .noExit: .failed
        case .live: .live
        case .cancelled: .cancelled
        }
    }

    /// The outcome as those who watch are told it.
    var summary: RunSummary.Outcome {
        switch self {
        case .succeeded: .success
        case .failed, .failedAtExit, .failedToJoin, .noExit: .failure
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
        case .failedToJoin: "what parallel branches left cannot be joined"
        case .noExit: "the plan has no end for this run"
        }
    }
}
