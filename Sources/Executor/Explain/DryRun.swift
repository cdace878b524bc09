internal import Glibc
package import PipelineIR

/// What would become of a step.
package enum StepForecast: Sendable, Equatable {
    /// Its result is in the cache: made by that job.
    case hit(key: ActionKey, job: String)
    /// It would run. Each line is one reason.
    case miss(key: ActionKey, reasons: [String])
    /// It would run, as it does every time, and why.
    case uncacheable(String)
    /// It depends on what a step that would run comes to.
    case unknown(until: StepIndex)
    /// It depends on what an image is, which is not on this machine yet.
    case unknownImage(String)
    /// Its condition does not hold.
    case skipped
    /// It would fail at once, and why.
    case impossible(String)
}

/// Finds out what a run would do, without running or writing anything.
///
/// Steps that are in the cache are followed as if they had been taken from it; of what follows a
/// step that would run, only that is known which the step cannot change. Steps that would run are
/// taken to succeed.
package struct DryRun {
    private let configuration: RunConfiguration
    private let plan: Plan
    private let graph: ScheduleGraph
    private let cache: ActionCache?
    private let actions: StepActions
    private let containers: Containers?
    private let reasons: MissReasons?
    private let files: ForecastFiles
    private var results: StepResults
    private var forecasts: [StepForecast] = []
    /// What steps change that are in the cache.
    private var outputs: [Int: TreeChange] = [:]
    /// By step: the last one for which it was visited.
    private var visits: [Int32]

    /// Prepares to look at a run. Throws when the files cannot be read.
    package init(_ configuration: RunConfiguration) throws {
        self.configuration = configuration
        plan = configuration.plan
        graph = ScheduleGraph(plan, priority: nil)
        results = StepResults(graph)
        visits = Array(repeating: -1, count: plan.steps.count)
        let isThere = access("\(configuration.cacheFolder)/results.db", F_OK) == 0
        let cache =
            isThere && configuration.usesCache
            ? try ActionCache(configuration.cacheFolder) : nil
        self.cache = cache
        containers =
            !configuration.allowsHost && Containers.areNeeded(by: plan)
            ? Containers(lookingAt: configuration) : nil
        containers?.find()
        actions = StepActions(
            configuration, salt: LocalRun.knownSalt(configuration.cacheFolder) ?? [],
            containers: containers)
        reasons = try cache.flatMap { cache in
            try History(folder: configuration.stateFolder).map {
                try MissReasons(
                    $0, cache: cache, repository: configuration.root,
                    pipeline: configuration.plan.pipeline, mode: configuration.mode, job: "")
            }
        }
        files = try ForecastFiles(configuration)
    }

    /// What would become of each step of the plan.
    package mutating func run() throws -> [StepForecast] {
        for index in plan.steps.indices { forecasts.append(try look(StepIndex(index))) }
        return forecasts
    }

    private mutating func look(_ step: StepIndex) throws -> StepForecast {
        let entry = plan.steps[step.int]
        if let condition = entry.condition {
            switch results.ask(condition, graph) {
            case .holds: break
            case .waits(let other): return .unknown(until: StepIndex(Int(other)))
            case .fails:
                results.setNotRun(step.value)
                return .skipped
            }
        }
        if let open = entry.data.first(where: { !results.isKnown[$0.int] }) {
            return .unknown(until: open)
        }
        if let obstacle = Cacheability.obstacle(entry, isInPlace: configuration.isInPlace) {
            // What an upload comes to changes nothing.
            if entry.kind == .upload { results.setRan(step.value, 0, output: nil, graph) }
            return .uncacheable(obstacle)
        }
        if !configuration.usesCache { return .uncacheable("the cache is off (--no-cache)") }
        return try lookUp(step, entry)
    }

    private mutating func lookUp(_ step: StepIndex, _ entry: Step) throws -> StepForecast {
        if let containers, plan.isContained(step) {
            do { try containers.check(step) } catch { return .impossible("\(error)") }
            if let image = actions.missingImage(step) { return .unknownImage(image) }
        }
        let globs = try (entry.options?.keyedInputs ?? []).map { try Glob($0) }
        let cover = GlobCover(globs)
        let (before, open) = try sources(of: step, cover)
        if let open { return .unknown(until: open) }
        let resolved: ResolvedStep
        do {
            resolved = try ResolvedStep(entry, secrets: configuration.secrets) { template, secret in
                try TemplateText.text(
                    of: template, secrets: secret,
                    output: { results.output($0.value, graph) ?? "" },
                    code: { results.codes[$0.int] })
            }
        } catch TemplateText.Failure.noSecret(let key) {
            return .impossible("secret `\(key)` was not given")
        } catch {
            return .impossible("\(error)")
        }
        if let missing = actions.missingSecret(resolved) {
            return .impossible("secret `\(missing)` was not given")
        }
        let tree = try files.tree(globs, cover, after: before.compactMap { outputs[$0] })
        let manifest = try Manifest(actions.action(step, resolved, tree))
        let key = manifest.key
        if let found = try cache?.lookup(key) {
            results.setRan(step.value, 0, output: found.captured, graph)
            outputs[step.int] =
                entry.settings.keepsChanges
                ? TreeChange(from: tree, to: found.outputs) : TreeChange(adding: found.outputs)
            return .hit(key: key, job: found.job)
        }
        let why = reasons?.reasons(entry.id, manifest) ?? [MissReasons.neverRan]
        return .miss(key: key, reasons: why)
    }

    /// The steps before a step whose files it sees, in program order, and the last one among them
    /// that would run and may change what globs cover.
    private mutating func sources(
        of step: StepIndex, _ cover: GlobCover
    ) throws -> (before: [Int], open: StepIndex?) {
        var pending = WorkspaceFlow.sources(plan.steps[step.int])
        var before: [Int] = []
        var open: Int?
        while let next = pending.popLast() {
            if visits[next.int] == step.value { continue }
            visits[next.int] = step.value
            pending += WorkspaceFlow.sources(plan.steps[next.int])
            if outputs[next.int] != nil { before.append(next.int) }
            if try mayChange(next, cover) { open = max(open ?? 0, next.int) }
        }
        return (before.sorted(), open.map { StepIndex($0) })
    }

    /// Whether a step would run, or could, and may change what globs cover.
    private func mayChange(_ step: StepIndex, _ cover: GlobCover) throws -> Bool {
        let entry = plan.steps[step.int]
        if entry.kind == .upload { return false }
        switch forecasts[step.int] {
        case .hit, .skipped: return false
        case .miss, .uncacheable, .unknown, .unknownImage, .impossible: break
        }
        guard let options = entry.options, options.isDeclared, let outputs = options.outputs else {
            return true
        }
        return cover.mayMeet(try outputs.map { try Glob($0) })
    }
}
