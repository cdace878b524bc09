internal import Glibc
internal import PipelineIR

/// Performs what a `Schedule` commands, and tells it what came of it. It decides nothing.
///
/// One thread runs the loop: processes, their output and the schedule take turns in it, so nothing
/// is locked. Work on files is done between turns.
final class Scheduler {
    let configuration: RunConfiguration
    let plan: Plan
    let host: any StepHost
    let table: ProcessTable
    let recorder: JobRecorder
    let log: JobLog
    let environment: StepEnvironment
    let observer: any RunObserver
    let results: any ResultKeeper
    let trace: RunTrace
    /// What an earlier job knew of the files, where they are looked at in place.
    let memo: MemoState?
    var schedule: Schedule
    /// Attempts by the slot of their process.
    var running: [Int: RunningAttempt] = [:]
    /// Steps in `running`, by their slot.
    var slots: [StepIndex: Int] = [:]
    /// Commands that have not been performed.
    private var commands: [Schedule.Command] = []
    private var wakeAt: UInt64?
    private var interrupts = 0
    private var lastFlush: UInt64 = 0
    private var hasComplained = false
    /// How many of the steps that ended were reported.
    private var reported = 0
    /// How many of them the host was told of.
    private var released = 0
    private(set) var outcome: JobOutcome?
    let artifacts: ArtifactKeeper
    let failures = FailureKeeper()
    /// Steps that an earlier job has done, and that nobody needs again.
    var settled: Set<StepIndex> = []
    /// Set when the steps of other runs count as well.
    var sharing: SharedStarts?
    /// Set when steps run in images.
    var containers: Containers?
    /// What the keys of steps that have not ended were made of.
    var tickets: [StepIndex: KeyTicket] = [:]
    /// Steps for whose results a cache elsewhere was asked.
    var asked: Set<StepIndex> = []
    /// Nanoseconds of steps that have ended and were not reported.
    var durations: [StepIndex: UInt64] = [:]
    /// What is recorded of steps that have not ended.
    var records: [StepIndex: StepRecord] = [:]
    /// Files that had to be written to bring results of the cache back.
    var restoredFiles = 0
    var counts: [StepEnd.Result: Int] = [:]

    /// Nanoseconds between writes of what the log holds in memory.
    private static let flushInterval: UInt64 = 100_000_000
    /// Nanoseconds after which commands wait for the next turn.
    private static let turn: UInt64 = 20_000_000

    init(
        _ configuration: RunConfiguration, host: any StepHost, table: ProcessTable,
        recorder: JobRecorder, results: any ResultKeeper, trace: RunTrace, memo: MemoState?,
        observer: any RunObserver, priority: [Int64]?
    ) {
        self.trace = trace
        self.memo = memo
        self.configuration = configuration
        plan = configuration.plan
        self.host = host
        self.table = table
        self.recorder = recorder
        log = recorder.log
        self.results = results
        self.observer = observer
        artifacts = ArtifactKeeper(
            root: configuration.root, jobFolder: configuration.jobFolder)
        environment = StepEnvironment(temporary: configuration.temporaryFolder)
        var limits = Schedule.Limits(
            jobs: configuration.jobs, cpuMilli: configuration.cpuMilli,
            memoryBytes: configuration.memoryBytes)
        limits.usesCache = configuration.usesCache
        schedule = Schedule(
            plan, limits: limits, priority: priority,
            recalls: configuration.earlierRun != nil)
    }

    /// Runs the plan to its end. Throws when what was done before cannot be gone on with.
    func run() throws(ResumeError) -> JobOutcome {
        apply(.start)
        try recallEarlierRun()
        while true {
            perform()
            if outcome != nil { break }
            // What has just been done is told before anybody waits for what comes.
            observer.refresh(now: MonotonicClock.now())
            let written = log.hasUnwritten ? lastFlush &+ Self.flushInterval : nil
            let isWaiting = sharing?.isWaiting ?? false
            let asking = sharing?.wakeAt
            var next = [wakeAt, observer.wakeAt, written, asking].compactMap { $0 }.min()
            let isIdle = running.isEmpty && asked.isEmpty && !isWaiting && next == nil
            if !commands.isEmpty || isIdle { next = 0 }
            table.wait(until: next) { event in
                take(event)
            }
            takeAnswers()
            startShared()
            let now = MonotonicClock.now()
            if let wake = wakeAt, wake <= now {
                wakeAt = nil
                apply(.wake)
            }
            if now &- lastFlush >= Self.flushInterval { flush(now) }
        }
        if outcome == .succeeded { joinEnds() }
        return outcome ?? .noExit
    }

    private func recallEarlierRun() throws(ResumeError) {
        guard let earlier = configuration.earlierRun else { return }
        do {
            try recall(earlier)
        } catch let error as ResumeError {
            throw error
        } catch {
            throw .noWorkspace("\(error)")
        }
    }

    /// Finds conflicts of branches that no step follows.
    private func joinEnds() {
        do { try host.finish() } catch {
            let refusal = refusal(error, "What the last steps left cannot be joined")
            observer.told(RunMessage(.error, refusal.text, hint: refusal.hint))
            outcome = .failedToJoin
        }
    }

    /// Tells the schedule of an event. What it commands is performed in its turn.
    func apply(_ event: Schedule.Event) {
        schedule.apply(event, at: Instant(nanoseconds: MonotonicClock.now()), into: &commands)
    }

    /// Performs what was commanded, for as long as a turn lasts: a thousand results that come out
    /// of the cache must not keep a signal waiting.
    private func perform() {
        let end = MonotonicClock.now() &+ Self.turn
        var next = 0
        while next < commands.count {
            reportEnds()
            perform(commands[next])
            next += 1
            if MonotonicClock.now() > end { break }
        }
        reportEnds()
        commands.removeFirst(next)
        guard commands.isEmpty else { return }
        release()
    }

    /// Only when everybody who follows a step has taken its workspace.
    private func release() {
        while released < schedule.endOrder.count {
            host.ended(schedule.endOrder[released])
            released += 1
        }
    }

    /// Starts what there is room for, before anything else is done.
    func performStarts() {
        let starts = commands.prefix { if case .start = $0 { true } else { false } }
        commands.removeFirst(starts.count)
        for command in starts { perform(command) }
    }

    /// Performs what follows from what was done before: no more than handing workspaces on.
    func performRecalled() {
        for command in commands {
            reportEnds()
            switch command {
            case .skip, .wake, .finish: perform(command)
            case .probe, .start, .stop, .upload, .note: break
            }
        }
        commands.removeAll()
        reportEnds()
        release()
    }

    private func perform(_ command: Schedule.Command) {
        switch command {
        case .probe(let step):
            // One that was cancelled in the meantime is no longer asked for.
            if schedule.phases[step.int] == .probing { probe(step) }
        case .start(let step, let attempt):
            // Nor is one started that was told to stop before its turn came.
            if schedule.marks[step.int].contains(.stopping) {
                return apply(.exited(step, attempt: attempt, .cancelled))
            }
            if sharing == nil || settled.contains(step) { return start(step, attempt) }
            sharing?.add(step, attempt)
            startShared()
        case .stop(let step, let attempt, let immediately):
            if sharing?.remove(step) == true {
                return apply(.exited(step, attempt: attempt, .cancelled))
            }
            if let slot = slots[step] {
                table.stop(slot, cause: .stopped, immediately: immediately)
            }
        case .upload(let step):
            if schedule.marks[step.int].contains(.stopping) {
                return apply(.uploaded(step, failure: "cancelled"))
            }
            upload(step)
        case .skip(let step):
            trace[step] = .skipped
            host.pass(step)
        case .note(let index): say(plan.notes[index])
        case .wake(let time):
            wakeAt = wakeAt.map { min($0, time.nanoseconds) } ?? time.nanoseconds
        case .finish(let outcome): self.outcome = outcome
        }
    }

    /// Reports the steps that have ended since the last time.
    private func reportEnds() {
        while reported < schedule.endOrder.count {
            let step = schedule.endOrder[reported]
            reported += 1
            let end = end(of: step)
            if end.result == .failed || end.result == .lost { keepFailure(step, end) }
            host.settled(step)
            if !tickets.isEmpty { tickets[step] = nil }
            record(step, end)
            counts[end.result, default: 0] += 1
            if configuration.earlierRun?.reported.contains(step) == true { continue }
            observer.ended(step, end)
        }
    }

    private func take(_ event: ProcessTable.Event) {
        switch event {
        case .wrote(let slot, let stream, let bytes): wrote(slot, stream, bytes)
        case .ended(let slot, let end): ended(slot, end)
        case .signalled(let number): signalled(number)
        // Answers of a cache elsewhere are looked for in each turn.
        case .woken: sharing?.woken()
        }
    }

    private func signalled(_ number: Int32) {
        if number == SIGWINCH { return observer.resized() }
        interrupts += 1
        if interrupts == 1, number != SIGQUIT {
            observer.told(
                RunMessage(
                    .note, "Cancelling: running steps are asked to end",
                    hint: "Interrupt again to end them at once."))
            apply(.cancel(.orderly))
        } else {
            apply(.cancel(.now))
        }
        forgetAsked()
    }

    private func say(_ note: Note) {
        guard let text = try? schedule.text(of: note.text, secrets: { _ in "***" }) else { return }
        let redacted = log.redactor.redact(text)
        try? log.note(step: nil, redacted + "\n", at: .now())
        observer.noted(redacted)
    }

    private func flush(_ now: UInt64) {
        lastFlush = now
        do { try log.flush() } catch { complain(error) }
    }

    /// Reports a failure of the log once: the run goes on, as a step's work is worth more.
    func complain(_ error: LogError) {
        guard !hasComplained else { return }
        hasComplained = true
        observer.told(RunMessage(.warning, "The log is incomplete: \(error)"))
    }
}
