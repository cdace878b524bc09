package import PipelineIR

/// Whether a step's result can be taken from the cache, as the plan says.
package enum Cacheability {
    /// Why a step is never taken from the cache, as the end of "because …"; `nil` when it can be.
    /// `isInPlace` says that it runs in the working copy.
    package static func obstacle(_ step: Step, isInPlace: Bool) -> String? {
        if step.kind == .upload { return "it keeps files for people, which every run does" }
        let options = step.settings
        let missing: String
        switch (options.inputs, options.outputs) {
        case _ where options.cache == .never: return "it says cache=False"
        case (.some, .some): return nil
        case (nil, nil): missing = "inputs and outputs"
        case (nil, _): missing = "inputs"
        case (_, nil): missing = "outputs"
        }
        guard options.cache == .always else { return "it does not declare its \(missing)" }
        // In a working copy lies more than what a step began with, and what it wrote.
        return isInPlace ? "it does not declare its \(missing), and runs in place" : nil
    }
}

extension Step.Options {
    /// What the result of a step that may be kept depends on: with `cache=True` everything that is
    /// not declared.
    var keyedInputs: [String]? { inputs ?? (cache == .always ? ["**"] : nil) }

    /// What is kept of a step whose result may be kept.
    var keyedOutputs: [String]? { outputs ?? (cache == .always ? ["**"] : nil) }

    /// Whether a step says what it reads and what it writes.
    var isDeclared: Bool { inputs != nil && outputs != nil }

    /// Whether a step sees what it reads and nothing else, and hands on what it writes.
    var isApart: Bool { keyedInputs != nil && keyedOutputs != nil }

    /// Whether a step that stands apart hands on all that it changed, also what it removed.
    var keepsChanges: Bool { outputs == nil && cache == .always }
}
