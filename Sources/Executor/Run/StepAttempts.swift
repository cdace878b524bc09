internal import Glibc
internal import PipelineIR

/// Starting attempts, hearing them, and what becomes of them.
extension Scheduler {
    /// Looks for the result of a step.
    func probe(_ step: StepIndex) {
        let isClean = memo?.isClean(step) ?? false
        if let memo, isClean, !plan.steps[step.int].capture {
            trace[step] = .clean
            observer.explained(step, .hit(key: "", job: memo.memo.job))
            return apply(.probed(step, .hit(StepResult(code: 0))))
        }
        memo?.touched(step)
        let resolved: ResolvedStep
        do { resolved = try resolve(step) } catch {
            // What is wrong is said when the step starts.
            return apply(.probed(step, .uncacheable))
        }
        take(results.look(step, resolved, host: host), for: step, isClean: isClean)
    }

    /// Goes on with the steps for whose results a cache elsewhere was asked.
    func takeAnswers() {
        if asked.isEmpty { return }
        for step in results.answered() where asked.remove(step) != nil {
            guard let ticket = tickets[step], schedule.phases[step.int] == .probing else {
                continue
            }
            take(results.look(again: ticket), for: step, isClean: false)
        }
    }

    /// Waits for no more answers.
    func forgetAsked() {
        for step in asked.sorted(by: { $0.value < $1.value }) {
            explain(step, .uncacheable(reason: "a cache elsewhere had not answered yet"))
            apply(.probed(step, .failed("cancelled")))
        }
        asked = []
    }

    private func take(_ found: Lookup, for step: StepIndex, isClean: Bool) {
        switch found {
        case .hit(let known): take(known, for: step, isClean: isClean)
        case .asked(let ticket):
            tickets[step] = ticket
            asked.insert(step)
        case .miss(let ticket, let reasons):
            tickets[step] = ticket
            explain(step, .miss(key: ticket.key, reasons: reasons))
            apply(.probed(step, .miss))
        case .uncacheable(let reason):
            explain(step, .uncacheable(reason: reason))
            apply(.probed(step, .uncacheable))
        case .failed(let reason):
            explain(step, .uncacheable(reason: "the cache did not answer: \(reason)"))
            observer.told(
                RunMessage(.warning, "The cache did not answer: \(reason)", step: step))
            apply(.probed(step, .failed(reason)))
        }
    }

    private func take(_ known: KnownResult, for step: StepIndex, isClean: Bool) {
        do {
            restoredFiles += try host.take(step, known.outputs, inputs: known.inputs)
        } catch {
            trace[step] = nil
            explain(
                step, .miss(key: known.key, reasons: ["its outputs cannot be restored: \(error)"]))
            return apply(.probed(step, .failed("\(error)")))
        }
        explain(step, .hit(key: known.key, job: known.job))
        let isWithheld = known.captured.map(holdsSecret) ?? false
        observer.keep(
            .taken(step, output: isWithheld ? nil : known.captured, isWithheld: isWithheld))
        durations[step] = known.nanoseconds
        // Where nothing that a step depends on has changed, nobody waits to hear of it again.
        if !isClean { replay(known, for: step) }
        apply(.probed(step, .hit(StepResult(code: 0, output: known.captured))))
    }

    /// Whether a step runs in a container.
    func runsInImage(_ step: StepIndex) -> Bool {
        !configuration.allowsHost && plan.isContained(step)
    }

    func resolve(_ step: StepIndex) throws -> ResolvedStep {
        do {
            return try ResolvedStep(plan.steps[step.int], secrets: configuration.secrets) {
                try schedule.text(of: $0, secrets: $1)
            }
        } catch TemplateText.Failure.noSecret(let key) {
            throw AttemptError.noSecret(key)
        }
    }

    /// Starts an attempt.
    func start(_ step: StepIndex, _ attempt: Int) {
        if settled.contains(step), let earlier = configuration.earlier {
            trace[step] = nil
            explain(step, .hit(key: "", job: earlier.job.text))
            host.pass(step)
            keepEnd(step, attempt, .exitCode(0, output: nil))
            return apply(.exited(step, attempt: attempt, .exitCode(0, output: nil)))
        }
        if configuration.explains, attempt == 1, records[step] == nil {
            let obstacle = Cacheability.obstacle(
                plan.steps[step.int], isInPlace: configuration.isInPlace)
            explain(step, .uncacheable(reason: obstacle ?? "the cache is off (--no-cache)"))
        }
        do {
            try begin(step, attempt)
            observer.started(step, attempt: attempt)
        } catch {
            let outcome = refusal(error)
            observer.told(
                RunMessage(.error, outcome.text, hint: outcome.hint, step: step))
            try? host.leave(step, outputs: nil)
            keepEnd(step, attempt, outcome.outcome)
            apply(.exited(step, attempt: attempt, outcome.outcome))
        }
    }

    private func begin(_ step: StepIndex, _ attempt: Int) throws {
        let resolved = try resolve(step)
        let settings = plan.steps[step.int]
        if let missing = resolved.secrets.first(where: { configuration.secrets[$0] == nil }) {
            throw AttemptError.noSecret(missing)
        }
        try refuseSecretArguments(resolved)
        let runsInImage = runsInImage(step)
        if configuration.allowsHost, !(settings.options?.services ?? []).isEmpty {
            throw AttemptError.servicesWithoutImage
        }
        if runsInImage { try containers?.check(step) }
        // Another attempt has the same key.
        let ticket = tickets[step]
        let inputs = try declaredInputs(of: step, ticket)
        let folder = try host.enter(step, inputs: inputs)
        let job = ticket == nil ? configuration.job : nil
        var order: ProcessOrder
        var container: ContainerOrder?
        if runsInImage, let containers {
            let ordered = try self.container(step, attempt, resolved, folder, job, containers)
            container = ordered
            order = try containers.supervised(ordered)
        } else {
            order = onHost(step, resolved, folder, job)
        }
        let (timeout, overflow) = (settings.options?.timeoutMilliseconds ?? 0)
            .multipliedReportingOverflow(by: 1_000_000)
        order.timeout = overflow ? 0 : timeout
        try observer.starting(step, attempt: attempt, lane: host.lane(of: step))
        let slot = try table.start(order)
        let writer = log.writer(AttemptKey(step: step.int, attempt: attempt))
        let recording = ticket == nil ? nil : results.recording()
        writer.listener = { [observer] stream, bytes in
            recording?.append(stream, bytes)
            observer.wrote(step, stream == .standardError ? .error : .output, bytes)
        }
        running[slot] = RunningAttempt(
            step: step, attempt: attempt, log: writer,
            captured: settings.capture ? CapturedOutput() : nil, ticket: ticket,
            recording: recording, isDeclared: inputs != nil, container: container)
        slots[step] = slot
    }

    private func onHost(
        _ step: StepIndex, _ resolved: ResolvedStep, _ folder: String, _ job: String?
    ) -> ProcessOrder {
        let workdir = plan.steps[step.int].workdir
        let seen = host.view ?? folder
        var order = ProcessOrder(
            arguments: arguments(resolved), environment: [], search: "", folder: seen)
        order.view = host.view.map { ProcessOrder.View(source: folder, path: $0) }
        order.environment = environment.variables(
            resolved.environment, workspace: seen, job: job)
        order.search = environment.search(resolved.environment)
        if !workdir.isEmpty { order.folder = "\(seen)/\(workdir)" }
        if case .script(let text) = resolved.command, isGivenInMemory(resolved) {
            order.script = Array(text.utf8)
        }
        return order
    }

    private func container(
        _ step: StepIndex, _ attempt: Int, _ resolved: ResolvedStep, _ folder: String,
        _ job: String?, _ containers: Containers
    ) throws(AttemptError) -> ContainerOrder {
        var script: String?
        if case .script(let text) = resolved.command, isGivenInMemory(resolved) { script = text }
        return try containers.order(
            step, attempt: attempt, resolved, arguments: arguments(resolved), script: script,
            workspace: folder,
            environment: environment.containerVariables(
                workspace: ContainerOrder.workspace, workdir: plan.steps[step.int].workdir,
                job: job))
    }

    /// What a step sees that stands apart: it declares both what it reads and what it writes, or
    /// may be cached without.
    private func declaredInputs(of step: StepIndex, _ ticket: KeyTicket?) throws -> FileTree? {
        if let ticket { return ticket.inputs }
        guard let options = plan.steps[step.int].options, let inputs = options.keyedInputs,
            configuration.isInPlace ? options.isDeclared : options.isApart
        else { return nil }
        return try host.inputs(of: step, inputs.map { try Glob($0) })
    }

    /// Arguments can be read by everybody on the machine, also those that hold what another step
    /// has printed of a secret.
    private func refuseSecretArguments(_ resolved: ResolvedStep) throws(AttemptError) {
        if let key = resolved.argumentSecrets.first { throw .secretArgument("secret `\(key)`") }
        guard case .argv(let words) = resolved.command, !log.redactor.isEmpty else { return }
        if words.contains(where: holdsSecret) { throw .secretArgument("a secret") }
    }

    func holdsSecret(_ text: String) -> Bool {
        !log.redactor.isEmpty && log.redactor.redact(text) != text
    }

    private static let longestArgument = 64 << 10

    /// Whether a script is handed over in memory: because it holds what nobody else may read, or
    /// because it is longer than an argument may be.
    private func isGivenInMemory(_ resolved: ResolvedStep) -> Bool {
        guard case .script(let text) = resolved.command else { return false }
        return resolved.isPrivate || text.utf8.count > Self.longestArgument
    }

    private func arguments(_ resolved: ResolvedStep) -> [String] {
        switch resolved.command {
        case .argv(let words): words
        case .script(let text):
            // Read with `.`, a script sees the same `$0`, whichever way it comes.
            ["/bin/sh", "-c", isGivenInMemory(resolved) ? ". /dev/fd/3" : text, "sh"]
        }
    }

    /// Takes output of a process.
    func wrote(_ slot: Int, _ stream: OutputStream, _ bytes: UnsafeRawBufferPointer) {
        guard let attempt = running[slot] else { return }
        if stream == .output { running[slot]?.captured?.append(bytes) }
        let kind: LogStream = stream == .output ? .standardOutput : .standardError
        do { try attempt.log.append(kind, bytes, at: .now()) } catch { complain(error) }
    }

    /// Takes the end of a process.
    func ended(_ slot: Int, _ end: ProcessEnd) {
        guard let attempt = running.removeValue(forKey: slot) else { return }
        slots[attempt.step] = nil
        sharing?.release()
        durations[attempt.step] = end.nanoseconds
        var outcome = outcome(of: attempt, end)
        if attempt.container == nil, case .exitCode(0, _) = outcome {
            // Another step runs while what became of this one is seen to.
            apply(.vacated(attempt.step, attempt: attempt.attempt))
            performStarts()
        }
        do { try attempt.log.finish(at: .now()) } catch { complain(error) }
        if end.outputHeld {
            observer.told(
                RunMessage(
                    .warning,
                    "A process that Danube may not end keeps the output of the step open",
                    step: attempt.step))
        }
        if let container = attempt.container {
            let report = containers?.end(container, supervisorWasKilled: end.signal != 0)
            if let report, end.cause == .itself {
                outcome = report.outcome
                observer.told(
                    RunMessage(
                        .error, "The step cannot run: \(report.text)", hint: report.hint,
                        step: attempt.step))
            }
        }
        if case .exitCode(let code, _) = outcome {
            if code == 0, attempt.container != nil {
                apply(.vacated(attempt.step, attempt: attempt.attempt))
                performStarts()
            }
            do {
                let outputs = code == 0 ? try keep(attempt, outcome, end) : left(by: attempt)
                try host.leave(attempt.step, outputs: outputs)
            } catch {
                let refused = refusal(error, "Its result cannot be kept")
                outcome = refused.outcome
                observer.told(
                    RunMessage(.error, refused.text, hint: refused.hint, step: attempt.step))
            }
        } else {
            try? host.leave(attempt.step, outputs: left(by: attempt))
        }
        note(attempt, end, outcome)
        keepEnd(attempt.step, attempt.attempt, outcome)
        let before = schedule.attempts(of: attempt.step)
        apply(.exited(attempt.step, attempt: attempt.attempt, outcome))
        reportRetry(attempt.step, before, "attempt \(before) failed")
        switch schedule.state(of: attempt.step) {
        case .failed, .cancelled, .lost: attempt.ticket.map(results.noteFailure)
        default: break
        }
    }

    func reportRetry(_ step: StepIndex, _ before: Int, _ reason: String) {
        guard case .backingOff(let until) = schedule.state(of: step) else { return }
        let now = MonotonicClock.now()
        observer.retrying(
            step, attempt: before + 1, reason: reason,
            after: until.nanoseconds > now ? until.nanoseconds - now : 0)
    }

    private func outcome(of attempt: RunningAttempt, _ end: ProcessEnd) -> AttemptOutcome {
        switch end.cause {
        case .timeout: return .timedOut
        case .stopped: return .cancelled
        case .itself: break
        }
        guard let captured = attempt.captured else { return .exitCode(end.code, output: nil) }
        switch captured.text() {
        case .success(let text): return .exitCode(end.code, output: text)
        case .failure(let error):
            // A step that failed has its code to say it.
            return end.code == 0 ? .badOutput("\(error)") : .exitCode(end.code, output: nil)
        }
    }

    /// Keeps the result of a step that succeeded. Gives its declared outputs.
    private func keep(
        _ attempt: RunningAttempt, _ outcome: AttemptOutcome, _ end: ProcessEnd
    ) throws -> FileTree? {
        var captured: String?
        if case .exitCode(_, let text) = outcome { captured = text }
        // The cache holds no secrets.
        if let ticket = attempt.ticket, !(captured.map(holdsSecret) ?? false) {
            return try results.keep(
                NewResult(
                    ticket: ticket, captured: captured, nanoseconds: end.nanoseconds,
                    log: attempt.recording),
                host: host)
        }
        guard attempt.isDeclared, let globs = plan.steps[attempt.step.int].options?.keyedOutputs
        else {
            return nil
        }
        return try host.outputs(of: attempt.step, globs.map { try Glob($0) })
    }

    /// The declared outputs that a failed attempt left, such as reports: what follows sees them, as
    /// it sees all that any other failed step left.
    private func left(by attempt: RunningAttempt) -> FileTree? {
        guard attempt.isDeclared, !configuration.isInPlace,
            let globs = plan.steps[attempt.step.int].options?.keyedOutputs
        else { return nil }
        return try? host.outputs(of: attempt.step, globs.map { try Glob($0) })
    }

    /// How a step ended, for those who watch.
    func end(of step: StepIndex) -> StepEnd {
        var end = StepEnd(
            result: .skipped, nanoseconds: 0, attempts: Int(schedule.attempts[step.int]))
        if !durations.isEmpty { end.nanoseconds = durations.removeValue(forKey: step) ?? 0 }
        // A step is large, so it is looked at where it is.
        end.isFatal = plan.steps[step.int].fatal
        if schedule.phases[step.int] == .cached {
            end.result = .cached
            return end
        }
        switch schedule.state(of: step) {
        case .succeeded(let result):
            end.result = settled.contains(step) ? .cached : .succeeded
            end.code = Int32(result.code)
        case .failed(let outcome):
            end.result = .failed
            end.code = Int32(outcome.code)
            // What Danube could not do is not for `check=False` to allow.
            if !outcome.isOfCommand, !plan.steps[step.int].check { end.isFatal = true }
            end.reason = outcome.reason(plan.steps[step.int])
        case .blocked: end.result = .blocked
        case .cancelled: end.result = .cancelled
        case .lost(let reason):
            end.result = .lost
            end.reason = reason
        default: break
        }
        return end
    }
}
