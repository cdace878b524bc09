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

    @Argument(help: "The job's folder.")
    var folder: String

    private static let mostSecretBytes = 4 << 20

    func run() throws {
        guard setsid() >= 0 || getsid(0) == getpid() else {
            throw Failure.environment("cannot begin a session: \(FileBytes.reason(errno))")
        }
        let order = try EngineOrder(folder: folder)
        let journal = try JournalFile(folder: folder)
        var line = JSONWriter()
        line.beginObject()
        line.key("event")
        line.string("engine_started")
        line.key("pid")
        line.integer(Int(getpid()))
        line.endObject()
        journal.send(line.bytes + [0x0a])
        try journal.check()
        let secrets = try secrets(order)
        let wanted = Workspaces.areCopiesWanted && geteuid() != 0
        let namespaces = danube_engine_start(
            wanted ? 0 : Int32(DANUBE_OWN_MOUNTS | DANUBE_OWN_PROCESSES))
        guard namespaces >= 0 else {
            throw Failure.environment("cannot start: \(FileBytes.reason(-namespaces))")
        }
        do {
            try MasterFolder.hide(
                from: folder, but: [order.compile.root, order.cache], namespaces: namespaces)
            try EngineThread.run { Glibc.exit(try run(order, secrets, journal, namespaces)) }
        } catch let failure as Failure {
            tell(failure, journal)
            throw failure
        }
    }

    /// Compiles and runs, and gives the exit status.
    private func run(
        _ order: EngineOrder, _ secrets: SecretValues, _ journal: JournalFile, _ namespaces: Int32
    ) throws -> Int32 {
        let compilation = Compilations.compile(order.compile)
        guard let bytes = compilation.protoBytes, let digest = compilation.digest,
            !compilation.diagnostics.contains(where: { $0.level == .error })
        else {
            refuse(compilation, journal)
            return 2
        }
        let plan: Plan
        do {
            plan = try compilation.plan ?? PlanProto.decode(bytes, isKnown: compilation.memoised)
        } catch {
            throw Failure.bug("the plan of the plan cache cannot be read: \(error)")
        }
        try tell(plan, bytes, digest, journal)
        var configuration = RunConfiguration(
            plan: plan, digest: digest, root: order.compile.root, cacheFolder: order.cache,
            stateFolder: folder)
        configuration.jobFolder = JobFolder(path: folder, job: order.job)
        configuration.revision = order.compile.revision
        configuration.jobs = order.slots
        configuration.allowsHost = order.allowsHost
        configuration.trigger = order.compile.event
        configuration.branch = order.compile.branch
        configuration.secrets = secrets
        configuration.namespaces = namespaces
        configuration.explains = false
        // The master collects.
        configuration.cacheBudget = nil
        do {
            let summary = try LocalRun(configuration, observer: JournalWatch(journal)).run()
            return summary.outcome == .success ? 0 : 1
        } catch {
            throw Failure.environment("the run cannot begin: \(error)")
        }
    }

    /// Keeps the plan beside the journal, and says which steps it has.
    private func tell(
        _ plan: Plan, _ bytes: [UInt8], _ digest: PlanDigest, _ journal: JournalFile
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
