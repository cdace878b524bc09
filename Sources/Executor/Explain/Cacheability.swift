package import PipelineIR

/// Whether a step's result can be taken from the cache, as the plan says.
package enum Cacheability {
    /// Why a step is never taken from the cache, as the end of "because …"; `nil` when it can be.
    package static func obstacle(_ step: Step) -> String? {
        if step.kind == .upload { return "it keeps files for people, which every run does" }
        let options = step.settings
        if options.cache == .never { return "it says cache=False" }
        switch (options.inputs, options.outputs) {
        case (nil, nil): return "it does not declare its inputs and outputs"
        case (nil, _): return "it does not declare its inputs"
        case (_, nil): return "it does not declare its outputs"
        default: return nil
        }
    }
}
