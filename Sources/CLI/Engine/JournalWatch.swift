import Executor
import PipelineIR

/// Writes the journal of a job: what `--json` tells of a run (`docs/run-events.md`), without what
/// steps print, which is in the log, and with every attempt on the disk before it starts.
final class JournalWatch: RunObserver {
    private let file: JournalFile
    private let events: JSONWatch

    init(_ file: JournalFile) {
        self.file = file
        events = JSONWatch(sink: file)
    }

    func began(_ run: RunDescription) { events.began(run) }

    func explained(_ step: StepIndex, _ explanation: StepExplanation) {
        events.explained(step, explanation)
    }

    func starting(_ step: StepIndex, attempt: Int, lane: Int?) throws {
        events.starting(step, attemptToCome: attempt, lane: lane)
        file.sync()
        try file.check()
    }

    func keep(_ event: EarlierRun.Event) { events.keep(event) }

    func started(_ step: StepIndex, attempt: Int) { events.started(step, attempt: attempt) }

    func wrote(_ step: StepIndex, _ stream: OutputStream, _ bytes: UnsafeRawBufferPointer) {}

    func retrying(
        _ step: StepIndex, attempt: Int, reason: String, after nanoseconds: UInt64
    ) {
        events.retrying(step, attempt: attempt, reason: reason, after: nanoseconds)
    }

    func ended(_ step: StepIndex, _ end: StepEnd) { events.ended(step, end) }

    func noted(_ text: String) { events.noted(text) }

    func told(_ message: RunMessage) { events.told(message) }

    func ended(_ summary: RunSummary) { events.ended(summary) }

    func refresh(now: UInt64) { events.refresh(now: now) }

    var wakeAt: UInt64? { nil }

    func resized() {}
}
