import PipelineIR

/// A step as the evaluator recorded it. References in templates are recorded steps.
struct RecordedStep {
    var frame: Int32
    var name: String?
    var command: Step.Command
    var check: Bool
    var capture: Bool
    /// A handler or the end of a block would see it fail.
    var handled: Bool
    /// A stranger's text is part of its command.
    var untrusted: Bool
    /// The `try` that it cleans up after.
    var cleanup: RecordedTry?
    var options: RecordedOptions?
}

/// Options of a step as they were given, not yet judged.
final class RecordedOptions {
    var image: String?
    var env: [EnvVar] = []
    var timeout: RecordedQuantity?
    var inputs: [String]?
    var outputs: [String]?
    var cache: Bool?
    var needs: [Int32]?
    var retries: RecordedRetry?
    var resources: [(name: String, value: RecordedQuantity)] = []
    var workdir: String?
    var services: [RecordedService] = []
    var matrix: [Coordinate] = []
}

/// A number, or a text such as `10m`.
enum RecordedQuantity: Equatable {
    case number(Double)
    case text(String)
}

/// Retries as they were given.
struct RecordedRetry {
    var attempts: Int64
    var delay: RecordedQuantity?
    var backoff: RecordedQuantity?
    var codes: [Int64] = []
}

/// A service as it was given.
struct RecordedService {
    var name: String?
    var image: String?
    var env: [EnvVar]
    var ports: [Int64]
    var ready: Template?
    var readyTimeout: RecordedQuantity?
}

/// An artifact as it was given.
struct RecordedUpload {
    var frame: Int32
    var path: Template
    var name: String?
    var junit: Bool
    /// The `try` that it cleans up after.
    var cleanup: RecordedTry?
}

/// A step or an artifact, as an entry of the recording.
enum RecordedEvent: Hashable {
    case step(Int32)
    case upload(Int32)
}

/// The first and the last that happened between the start of a `try` and its `finally`.
struct RecordedTry {
    var first: RecordedEvent
    var last: RecordedEvent
}

/// A predicate as it was recorded.
indirect enum RecordedPredicate {
    case code(StepIndex, [ClosedRange<UInt8>])
    case compare(Condition.Comparison, Template, Template)
    case defined(Template)
    case all([RecordedPredicate])
    case any([RecordedPredicate])
    case not(RecordedPredicate)
}

/// Where a path ended.
struct RecordedExit: Hashable {
    var kind: Exit.Kind
    var message: String
    var frame: Int32
    var code: String
    var expression: String
}

/// One thing that happened on a path. Numbers index the recording's tables.
enum Token {
    case step(Int32)
    case upload(Int32)
    case note(Template, frame: Int32)
    case ifBegin(RecordedPredicate)
    case ifElse
    case ifEnd
    case parallelBegin(frame: Int32, name: String, failFast: Bool)
    case parallelEnd
    case sequenceBegin(frame: Int32, name: String)
    case sequenceEnd
    case resolve(Int32)

    /// Whether a block begins or ends with it.
    var isOfBlock: Bool {
        switch self {
        case .parallelBegin, .parallelEnd, .sequenceBegin, .sequenceEnd: true
        default: false
        }
    }
}

/// Why a recording is refused: it did not come from the evaluator as it is written.
enum RecordingError: Error, Equatable {
    case marshal(MarshalError)
    case schema(String)
    case tooMany(String, limit: Int)
    /// Merging it takes longer than the evaluation may take.
    case late
}

/// A part of a path that runs without a decision between its tokens.
final class PathNode {
    var tokens: [Token] = []
    var end: PathEnd = .open

    /// Forgets everything.
    func clear() {
        tokens = []
        end = .open
    }
}

/// How a part of a path ends.
enum PathEnd {
    case open
    case exit(RecordedExit)
    case decision(RecordedPredicate, frame: Int32, yes: PathNode?, no: PathNode?)
}

/// Everything the evaluator sent, as a tree of paths.
struct Recording {
    var steps: [RecordedStep] = []
    var uploads: [RecordedUpload] = []
    var frames: [Frame] = []
    var root = PathNode()
    var pathCount = 0

    /// The frame's index in the plan; 0 on the wire means none.
    static func frameIndex(_ frame: Int32) -> FrameIndex? {
        frame > 0 ? FrameIndex(Int(frame) - 1) : nil
    }
}
