internal import PipelineIR

/// An attempt whose process is alive.
struct RunningAttempt {
    var step: StepIndex
    var attempt: Int
    var log: LogWriter
    var captured: CapturedOutput?
    /// Set when the result may be kept.
    var ticket: KeyTicket?
    /// Takes what it prints, then.
    var recording: LogRecording?
    /// Whether the step sees its inputs only.
    var isDeclared: Bool
    /// Set when it runs in an image.
    var container: ContainerOrder?
}
