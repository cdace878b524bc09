/// What is to be evaluated: one pipeline of one danubefile.
package struct Evaluation: Sendable {
    /// Path of the danubefile in the repository.
    package var file: String
    /// The pipeline's name; `nil` where there is only one.
    package var pipeline: String?
    /// Parameters as they were given, in that order.
    package var parameters: [(name: String, value: String)]
    /// What the danubefile takes for the time, in seconds since 1970.
    package var time: Double
    /// Seed of `random`.
    package var seed: Int32
    /// Bounds that the evaluator and its parent enforce.
    package var limits: Limits
    /// Whether hooks of the interpreter word refusals; the sandbox does not depend on them.
    package var audit: Bool
    /// The evaluator's program; `nil` for the one beside this program.
    package var bridge: String?
    /// More settings of the evaluator, such as `mode`.
    package var options: [(name: String, value: String)] = []

    /// An evaluation with the default limits.
    package init(
        file: String, pipeline: String? = nil, parameters: [(name: String, value: String)] = [],
        time: Double = 0, seed: Int32 = 0, limits: Limits = Limits(), audit: Bool = true,
        bridge: String? = nil
    ) {
        self.file = file
        self.pipeline = pipeline
        self.parameters = parameters
        self.time = time
        self.seed = seed
        self.limits = limits
        self.audit = audit
        self.bridge = bridge
    }

    /// The payload of the configuration frame.
    var configuration: [UInt8] {
        let numbers: [(String, Int)] = [
            ("seed", Int(seed)), ("max_paths", limits.paths), ("max_steps", limits.steps),
            ("max_output", limits.outputBytes), ("max_depth", limits.nesting),
            ("memory", limits.memoryBytes),
            // A second line behind the compiler's clock, should the compiler itself be gone.
            ("cpu_seconds", Int(limits.wallClock.components.seconds) + 2),
        ]
        var writer = MarshalWriter()
        writer.tuple(numbers.count + options.count + 5)
        for (key, value) in numbers {
            writer.tuple(2)
            writer.string(key)
            writer.integer(Int64(value))
        }
        for (key, value) in options { writer.pair(key, value) }
        writer.pair("file", file)
        writer.tuple(2)
        writer.string("pipeline")
        writer.string(pipeline)
        writer.tuple(2)
        writer.string("params")
        writer.tuple(parameters.count)
        for (key, value) in parameters { writer.pair(key, value) }
        writer.tuple(2)
        writer.string("time")
        writer.float(time)
        writer.tuple(2)
        writer.string("audit")
        writer.bool(audit)
        return writer.bytes
    }
}

extension MarshalWriter {
    /// Writes a tuple of two texts.
    fileprivate mutating func pair(_ key: String, _ value: String) {
        tuple(2)
        string(key)
        string(value)
    }
}
