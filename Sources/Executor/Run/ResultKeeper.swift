internal import PipelineIR

/// Looks results of steps up, and keeps them.
protocol ResultKeeper: AnyObject {
    /// Looks for the result of a step that could be in the cache.
    func look(_ step: StepIndex, _ resolved: ResolvedStep, host: any StepHost) -> Lookup
    /// The steps for which `look` has asked elsewhere, and whose answer has come since.
    func answered() -> [StepIndex]
    /// Looks again for a result that was asked for elsewhere.
    func look(again ticket: KeyTicket) -> Lookup
    /// Keeps the result of a step that `look` gave a ticket for and that has succeeded. Gives what
    /// it wrote, as far as it is declared. Throws when the outputs cannot be had.
    func keep(_ result: NewResult, host: any StepHost) throws -> FileTree?
    /// What takes the output of an attempt whose result may be kept.
    func recording() -> LogRecording?
    /// The log of a result; `nil` when it is no longer there.
    func log(of result: KnownResult) -> [UInt8]?
    /// Notes what a step was made of that did not succeed.
    func noteFailure(_ ticket: KeyTicket)
}

/// What looking for a result gave.
enum Lookup {
    /// There is one.
    case hit(KnownResult)
    /// There is none. `ticket` is what `keep` needs to keep the new one.
    case miss(KeyTicket, reasons: [String])
    /// There is none here, and a cache elsewhere is asked for it.
    case asked(KeyTicket)
    /// There can be none, and why.
    case uncacheable(String)
    /// The cache did not answer.
    case failed(String)
}

/// A result from the cache.
struct KnownResult {
    var key: String
    /// The job that made it.
    var job: String
    /// All that the step would see.
    var inputs: FileTree
    var outputs: FileTree
    /// Captured output.
    var captured: String?
    /// Nanoseconds that it took when it was made.
    var nanoseconds: UInt64
    /// What it printed, in the form of `KeptLog`; `nil` when it printed nothing.
    var log: ContentStore.Blob?
}

/// What a step's key was made of, until its result is there.
class KeyTicket {
    let step: StepIndex
    /// The key, for people.
    let key: String
    /// All that the step will see.
    let inputs: FileTree

    init(step: StepIndex, key: String, inputs: FileTree) {
        self.step = step
        self.key = key
        self.inputs = inputs
    }
}

/// A result that was just made.
struct NewResult {
    var ticket: KeyTicket
    var captured: String?
    var nanoseconds: UInt64
    /// What it printed.
    var log: LogRecording?
}

/// Keeps nothing.
final class NoResults: ResultKeeper {
    func look(_ step: StepIndex, _ resolved: ResolvedStep, host: any StepHost) -> Lookup {
        .uncacheable("the cache is off (--no-cache)")
    }

    func answered() -> [StepIndex] { [] }

    func look(again ticket: KeyTicket) -> Lookup { .uncacheable("the cache is off (--no-cache)") }

    func keep(_ result: NewResult, host: any StepHost) throws -> FileTree? { nil }

    func recording() -> LogRecording? { nil }

    func log(of result: KnownResult) -> [UInt8]? { nil }

    func noteFailure(_ ticket: KeyTicket) {}
}
