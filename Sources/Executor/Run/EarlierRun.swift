package import PipelineIR

/// What engines before this one have done of a job, in order: enough to go on where the last of
/// them was ended.
package struct EarlierRun: Sendable {
    /// Something that a run has to know again after its engine was ended.
    package enum Event: Sendable, Equatable {
        /// An attempt was about to start, in the lane with this number. One that declares what it
        /// reads and writes has none: it sees nothing but its inputs.
        case began(StepIndex, attempt: Int, lane: Int?)
        /// An attempt has ended, or could not begin. `isWithheld` says that what it had printed is
        /// its result, and holds a secret, so that it is not kept.
        case ended(StepIndex, attempt: Int, AttemptOutcome, isWithheld: Bool)
        /// Files of an upload were kept, or why not.
        case uploaded(StepIndex, failure: String?)
        /// A result was taken from the cache.
        case taken(StepIndex, output: String?, isWithheld: Bool)

        /// The step that it is about.
        var step: StepIndex {
            switch self {
            case .began(let step, _, _), .ended(let step, _, _, _), .uploaded(let step, _),
                .taken(let step, _, _):
                step
            }
        }
    }

    /// All of it.
    package var events: [Event] = []
    /// Steps whose end was told already.
    package var reported: Set<StepIndex> = []
    /// Whether the machine was started anew since: what was in memory only is lost.
    package var isOfAnotherBoot = false

    /// Nothing was done yet.
    package init() {}

    /// Whether steps have left files that others may want.
    var hasLanes: Bool {
        events.contains { event in
            switch event {
            case .began(_, _, let lane): lane != nil
            case .taken: true
            case .ended, .uploaded: false
            }
        }
    }
}

/// Why a job cannot be gone on with after its engine was ended.
package enum ResumeError: Error, Equatable, CustomStringConvertible {
    case restarted
    case withheld(step: String)
    case noWorkspace(String)
    case copied
    case differs(step: String)

    /// One sentence without a full stop.
    package var description: String {
        switch self {
        case .restarted:
            "the machine was started anew, and what the steps had left may not be on its disk"
        case .withheld(let step):
            "the result of the step `\(step)` holds a secret, and was therefore not kept"
        case .noWorkspace(let path): "what the steps had left is no longer in \(path)"
        case .differs(let step):
            "that the step `\(step)` had ended does not follow from what is known of the others"
        case .copied: "workspaces are copies here, and a copy that was begun cannot be gone on with"
        }
    }
}
