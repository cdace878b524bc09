internal import Glibc
internal import PipelineIR

/// Looks results up in the cache of this machine, and keeps them there.
final class CachedResults: ResultKeeper {
    /// What a key was made of, until the result is there.
    private final class Ticket: KeyTicket {
        let action: ActionKey
        let manifest: Manifest

        /// Whether others may have the result: its key is made of no secret of this machine.
        let isShared: Bool

        init(step: StepIndex, manifest: Manifest, isShared: Bool) {
            self.isShared = isShared
            action = manifest.key
            self.manifest = manifest
            super.init(step: step, key: action.description, inputs: manifest.inputs)
        }
    }

    private let configuration: RunConfiguration
    private let plan: Plan
    private let cache: ActionCache
    private let actions: StepActions
    private let trace: RunTrace
    private let failures: JobManifests
    /// Another cache that is asked for what this one lacks.
    private let remote: RemoteCache?
    /// Gives reasons for a miss, where somebody wants to hear them.
    var explain: ((StepIndex, Manifest) -> [String])?
    /// Hears of results that are not kept, as inputs changed while the step ran: these.
    var notKept: ((StepIndex, [String]) -> Void)?
    /// Hears of results that are kept without what the step printed, and why.
    var logNotKept: ((StepIndex, CacheError) -> Void)?
    /// A larger log was not written by us.
    private static let mostLog = Int64(2 * LogRecording.mostBytes)
    /// How many changed inputs are named.
    private static let shownChanges = 2

    /// Uses a cache for one run. `salt` is what this machine's secret versions are made with.
    init(
        _ configuration: RunConfiguration, cache: ActionCache, salt: [UInt8], trace: RunTrace,
        containers: Containers?, failures: JobManifests, remote: RemoteCache? = nil
    ) {
        self.remote = remote
        self.failures = failures
        self.trace = trace
        self.configuration = configuration
        plan = configuration.plan
        self.cache = cache
        actions = StepActions(configuration, salt: salt, containers: containers)
    }

    func look(_ step: StepIndex, _ resolved: ResolvedStep, host: any StepHost) -> Lookup {
        let settings = plan.steps[step.int]
        let obstacle = Cacheability.obstacle(settings, isInPlace: configuration.isInPlace)
        if let obstacle { return .uncacheable(obstacle) }
        let inputs = settings.options?.keyedInputs ?? []
        if let missing = actions.missingSecret(resolved) {
            return .uncacheable("secret `\(missing)` was not given")
        }
        if let image = actions.missingImage(step) {
            return .uncacheable("the image `\(image)` is not on this machine")
        }
        do {
            let tree = try host.inputs(of: step, inputs.map { try Glob($0) })
            let manifest = try Manifest(actions.action(step, resolved, tree))
            let ticket = Ticket(
                step: step, manifest: manifest, isShared: resolved.secrets.isEmpty)
            if let hit = try find(ticket) { return hit }
            return try isAsked(ticket) ? .asked(ticket) : miss(ticket)
        } catch {
            return .failed("\(error)")
        }
    }

    /// Asks a cache elsewhere, if there is one that may know the result.
    private func isAsked(_ ticket: Ticket) throws -> Bool {
        guard ticket.isShared, let remote else { return false }
        let outputs = plan.steps[ticket.step.int].options?.keyedOutputs ?? []
        return remote.ask(
            ticket.action, manifest: ticket.manifest, step: ticket.step,
            outputs: try outputs.map { try Glob($0) })
    }

    func answered() -> [StepIndex] { remote?.answers() ?? [] }

    func look(again ticket: KeyTicket) -> Lookup {
        guard let ticket = ticket as? Ticket else { return .failed("nobody was asked") }
        do { return try find(ticket) ?? miss(ticket) } catch { return .failed("\(error)") }
    }

    private func find(_ ticket: Ticket) throws(CacheError) -> Lookup? {
        guard let found = try cache.lookup(ticket.action) else { return nil }
        let inputs = ticket.inputs
        trace[ticket.step] = .cached(inputs: inputs, outputs: found.outputs)
        let captured = plan.steps[ticket.step.int].capture ? found.captured : nil
        return .hit(
            KnownResult(
                key: ticket.key, job: found.job, inputs: inputs, outputs: found.outputs,
                captured: captured, nanoseconds: found.durationMilliseconds &* 1_000_000,
                log: found.log))
    }

    private func miss(_ ticket: Ticket) -> Lookup {
        .miss(ticket, reasons: explain?(ticket.step, ticket.manifest) ?? [])
    }

    func keep(_ result: NewResult, host: any StepHost) throws -> FileTree? {
        guard let ticket = result.ticket as? Ticket,
            let globs = plan.steps[ticket.step.int].options?.keyedOutputs
        else { return nil }
        let outputs = try host.outputs(of: ticket.step, globs.map { try Glob($0) })
        // Whoever changed an input meanwhile made the result one of neither content.
        if configuration.isInPlace, let inputs = plan.steps[ticket.step.int].options?.inputs {
            let after = try host.inputs(of: ticket.step, inputs.map { try Glob($0) })
            if after != ticket.inputs {
                failures.keep(ticket.manifest)
                let changes = FileTree.difference(ticket.inputs, after, most: Self.shownChanges + 1)
                notKept?(ticket.step, ChangeText.lines(changes, most: Self.shownChanges))
                return outputs
            }
        }
        let log = result.log?.finish()
        if let problem = result.log?.problem { logNotKept?(ticket.step, problem) }
        let kept = ActionResult(
            key: ticket.action, outputs: outputs, log: log, captured: result.captured,
            durationMilliseconds: result.nanoseconds / 1_000_000, job: configuration.job,
            step: plan.steps[ticket.step.int].id, created: Int64(time(nil)))
        try cache.enqueue(kept, manifest: ticket.manifest.encoded())
        if ticket.isShared { remote?.offer(kept) }
        trace[ticket.step] = .cached(inputs: ticket.inputs, outputs: outputs)
        return outputs
    }

    func recording() -> LogRecording? { LogRecording(cache.store) }

    func log(of result: KnownResult) -> [UInt8]? {
        result.log.flatMap { cache.store.read($0.digest, most: Self.mostLog) }
    }

    func noteFailure(_ ticket: KeyTicket) {
        if let ticket = ticket as? Ticket { failures.keep(ticket.manifest) }
    }
}
