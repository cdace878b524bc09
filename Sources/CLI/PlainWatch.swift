import Executor
import Glibc
import PipelineIR

/// Says what happens, a line for each event.
final class PlainWatch: RunObserver {
    private var names: [String] = []
    var wakeAt: UInt64? { nil }
    func began(_ run: RunDescription) { names = run.plan.steps.map(\.name) }
    func explained(_ step: StepIndex, _ explanation: StepExplanation) {
        print("\(names[step.int]): \(explanation)")
    }
    func started(_ step: StepIndex, attempt: Int) { print("\(names[step.int]): started") }
    func wrote(_ step: StepIndex, _ stream: OutputStream, _ bytes: UnsafeRawBufferPointer) {
        print("\(names[step.int]): \(String(decoding: bytes, as: UTF8.self))", terminator: "")
    }
    func retrying(_ step: StepIndex, attempt: Int, reason: String, after nanoseconds: UInt64) {
        print("\(names[step.int]): \(reason), again in \(nanoseconds / 1_000_000) ms")
    }
    func ended(_ step: StepIndex, _ end: StepEnd) {
        print("\(names[step.int]): \(end.result) \(end.code ?? -1) \(end.reason ?? "")")
    }
    func noted(_ text: String) { print(text) }
    func told(_ message: RunMessage) {
        print("\(message.level): \(message.text) \(message.hint ?? "")")
    }
    func ended(_ summary: RunSummary) {
        print("\(summary.outcome) \(summary.message ?? "") \(summary.nanoseconds / 1_000_000) ms")
    }
    func refresh(now: UInt64) { fflush(nil) }
    func resized() {}
}
