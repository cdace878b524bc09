import ArgumentParser
import CSandbox
import Compiler
import Executor
import Glibc
import PipelineIR

/// `danube engine`, which a master starts for each job. It outlives the master: what becomes of the
/// job is in the folder's journal, and what its steps print in its log.
struct EngineCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "engine", abstract: "Run a job of a master, in the folder that it made.",
        shouldDisplay: false)

    @Option(help: "Wait for orders on standard input, and fork an engine for each; the cache.")
    var host: String?

    @Option(help: "Run nothing if the job's journal has another number of bytes.")
    var journal: Int?

    @Argument(help: "The job's folder.")
    var folder: String

    private static let mostSecretBytes = 4 << 20

    func run() throws {
        if let host {
            guard let (folder, journal) = try EngineHost(cache: host).serve() else { return }
            var own = self
            own.folder = folder
            return try own.begin(journal)
        }
        guard setsid() >= 0 || getsid(0) == getpid() else {
            throw Failure.environment("cannot begin a session: \(FileBytes.reason(errno))")
        }
        try begin(JournalFile(folder: folder, size: journal))
    }

    private func begin(_ journal: JournalFile) throws {
        let order: EngineOrder
        let earlier: EarlierEngines
        let namespaces: Int32
        do throws(Failure) {
            order = try EngineOrder(folder: folder)
            earlier = try EarlierEngines(folder: folder)
            // Those of an engine with process ids of its own have ended with it.
            if earlier.digest != nil, getpid() != 1 { StrayProcesses.end(of: order.job) }
            namespaces = try alone(journal)
        } catch {
            tell(error, journal)
            throw error
        }
        let secrets = try secrets(order)
        // Its token may be where nobody sees it any more.
        let remote = order.remoteCache.map { EngineRemoteCache.use($0.url, tokenFile: $0.token) }
        do {
            try MasterFolder.hide(
                from: folder, but: order.visible, namespaces: namespaces)
            try EngineThread.run {
                Glibc.exit(
                    try run(order, secrets, remote, journal, namespaces, after: earlier))
            }
        } catch let failure as Failure {
            tell(failure, journal)
            throw failure
        }
    }

    /// Becomes the engine, and says so. The host's fork is it; what was started by itself is the
    /// guard, and only its child returns.
    private func alone(_ journal: JournalFile) throws(Failure) -> Int32 {
        let wanted = Int32(DANUBE_OWN_MOUNTS | DANUBE_OWN_PROCESSES)
        if host != nil, getpid() == 1 {
            var process: pid_t = 0
            let namespaces = danube_engine_alone(wanted, &process)
            guard namespaces >= 0 else {
                throw .environment("cannot start: \(FileBytes.reason(-namespaces))")
            }
            try tell(process, journal)
            return namespaces
        }
        try tell(getpid(), journal)
        let isCopying = Workspaces.areCopiesWanted && geteuid() != 0
        let namespaces = danube_engine_start(isCopying ? 0 : wanted)
        guard namespaces >= 0 else {
            throw .environment("cannot start: \(FileBytes.reason(-namespaces))")
        }
        if namespaces & Int32(DANUBE_OWN_PROCESSES) != 0 { danube_engine_dies_with_guard() }
        return namespaces
    }

    private func tell(_ process: pid_t, _ journal: JournalFile) throws(Failure) {
        var line = JSONWriter()
        line.beginObject()
        line.key("event")
        line.string("engine_started")
        line.key("pid")
        line.integer(Int(process))
        line.key("boot")
        line.string(EarlierEngines.boot)
        line.endObject()
        journal.send(line.bytes + [0x0a])
        try journal.check()
    }

    /// Compiles and runs, or goes on with what engines before this one had begun, and gives the
    /// exit status.
    private func run(
        _ order: EngineOrder, _ secrets: SecretValues, _ remote: RemoteCacheUse?,
        _ journal: JournalFile, _ namespaces: Int32, after earlier: EarlierEngines
    ) throws -> Int32 {
        guard
            let (plan, digest) = try earlier.plan(in: folder) ?? (try compile(order, journal))
        else { return 2 }
        var configuration = RunConfiguration(
            plan: plan, digest: digest, root: order.compile.root, cacheFolder: order.cache,
            stateFolder: folder)
        if earlier.digest != nil { configuration.earlierRun = earlier.run }
        configuration.jobFolder = JobFolder(path: folder, job: order.job)
        configuration.revision = order.compile.revision
        configuration.jobs = order.slots
        configuration.sharing = order.sharing
        configuration.allowsHost = order.allowsHost
        configuration.trigger = order.compile.event
        configuration.branch = order.compile.branch
        configuration.secrets = secrets
        configuration.remoteCache = remote
        configuration.namespaces = namespaces
        configuration.explains = false
        configuration.earlier = order.earlier
        // The master collects.
        configuration.cacheBudget = nil
        do {
            let summary = try LocalRun(configuration, observer: JournalWatch(journal)).run()
            return summary.outcome == .success ? 0 : 1
        } catch let error as ResumeError {
            throw Failure.environment("lost: \(error)")
        } catch {
            throw Failure.environment("the run cannot begin: \(error)")
        }
    }

    /// Compiles; `nil` when there is no plan, or one whose turn has not come. Both are told.
    private func compile(
        _ order: EngineOrder, _ journal: JournalFile
    ) throws(Failure) -> (plan: Plan, digest: PlanDigest)? {
        let compilation = Compilations.compile(order.compile)
        guard let bytes = compilation.protoBytes, let digest = compilation.digest,
            !compilation.diagnostics.contains(where: { $0.level == .error })
        else {
            refuse(compilation, journal)
            return nil
        }
        let plan: Plan
        do {
            plan = try compilation.plan ?? PlanProto.decode(bytes, isKnown: compilation.memoised)
        } catch {
            throw .bug("the plan of the plan cache cannot be read: \(error)")
        }
        let isParked = !plan.concurrency.isEmpty && !order.isGrouped
        try tell(plan, bytes, digest, isParked: isParked, journal)
        if !isParked { return (plan, digest) }
        // Another engine goes on when its turn comes.
        journal.finish()
        return nil
    }

    /// Keeps the plan beside the journal, and says which steps it has.
    private func tell(
        _ plan: Plan, _ bytes: [UInt8], _ digest: PlanDigest, isParked: Bool,
        _ journal: JournalFile
    ) throws(Failure) {
        do throws(CacheError) {
            try AtomicFile.write(bytes, to: "\(folder)/plan")
        } catch {
            throw .environment("\(error)")
        }
        var line = JSONWriter(capacity: plan.steps.count * 48)
        line.beginObject()
        line.key("event")
        line.string("compiled")
        line.key("digest")
        line.string(digest.description)
        line.key("pipeline")
        line.string(plan.pipeline)
        line.key("time_us")
        line.integer(Timestamp.now().microseconds)
        if isParked {
            line.key("parked")
            line.bool(true)
            line.key("concurrency")
            line.string(plan.concurrency)
            line.key("concurrency_rule")
            line.string(plan.concurrencyRule)
        }
        line.key("steps")
        line.beginArray()
        for step in plan.steps {
            line.beginObject()
            line.key("id")
            line.string(step.id)
            line.key("name")
            line.string(step.name)
            line.endObject()
        }
        line.endArray()
        line.endObject()
        journal.send(line.bytes + [0x0a])
        try journal.check()
    }

    /// Says why there is no plan.
    private func refuse(_ compilation: Compilation, _ journal: JournalFile) {
        let text = DiagnosticText.render(
            compilation.diagnostics, on: Terminal.of(-1, choice: .never))
        end(journal, "compile_failed", String(decoding: text.bytes, as: UTF8.self), hint: nil)
    }

    private func tell(_ failure: Failure, _ journal: JournalFile) {
        let (message, hint) = failure.words
        end(journal, "engine_failed", message ?? "", hint: hint)
    }

    private func end(
        _ journal: JournalFile, _ event: StaticString, _ text: String, hint: String?
    ) {
        var line = JSONWriter()
        line.beginObject()
        line.key("event")
        line.string(event.description)
        line.key("text")
        line.string(text)
        if let hint {
            line.key("hint")
            line.string(hint)
        }
        line.endObject()
        journal.send(line.bytes + [0x0a])
        journal.finish()
    }

    private func secrets(_ order: EngineOrder) throws(Failure) -> SecretValues {
        var values = SecretValues()
        guard order.readsSecrets else { return values }
        let bytes = try FileBytes.read("-", limit: Self.mostSecretBytes)
        guard let members = (try? JSONValue.parse(bytes))?.members else {
            throw .mistake("standard input has no object of secrets")
        }
        for member in members {
            if let text = member.value.text { values.set(member.key, text) }
        }
        return values
    }
}
