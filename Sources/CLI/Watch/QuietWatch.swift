import Executor
import PipelineIR

/// Shows a run by what failed and one last line.
final class QuietWatch: RunObserver {
    private let options: WatchOptions
    private let sink: any ByteSink
    private var record: RunRecord?

    init(_ options: WatchOptions, sink: any ByteSink) {
        self.options = options
        self.sink = sink
    }

    func began(_ run: RunDescription) { record = RunRecord(run) }

    func explained(_ step: StepIndex, _ explanation: StepExplanation) {}

    func started(_ step: StepIndex, attempt: Int) { record?.started(step, attempt: attempt) }

    func wrote(_ step: StepIndex, _ stream: OutputStream, _ bytes: UnsafeRawBufferPointer) {
        record?.wrote(step, bytes)
    }

    func retrying(
        _ step: StepIndex, attempt: Int, reason: String, after nanoseconds: UInt64
    ) {}

    func ended(_ step: StepIndex, _ end: StepEnd) { record?.ended(step, end) }

    func noted(_ text: String) {}

    func told(_ message: RunMessage) {
        if message.level == .note { return }
        sink.send(MessageText.render(message, record?.names, options))
    }

    func ended(_ summary: RunSummary) {
        guard let record else { return }
        sink.send(EndReport.render(record, summary, options, onlyFailures: true))
        sink.finish()
    }

    func refresh(now: UInt64) { _ = sink.push() }

    var wakeAt: UInt64? { nil }

    func resized() {}
}
