import ArgumentParser
import Compiler

/// Bounds on the evaluation of a danubefile.
struct LimitOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Wall clock, as 5s or 500ms. (default: 5s)", valueName: "time"))
    var timeout: String?

    @Option(help: ArgumentHelp("Memory, as 512Mi. (default: 512Mi)", valueName: "size"))
    var memory: String?

    @Option(help: ArgumentHelp("Steps. (default: 100000)", valueName: "count"))
    var maxSteps: Int?

    @Option(help: ArgumentHelp("Paths of dependent decisions. (default: 256)", valueName: "count"))
    var maxPaths: Int?

    @Option(help: ArgumentHelp("What print() may say, as 1Mi. (default: 1Mi)", valueName: "size"))
    var maxOutput: String?

    @Option(help: ArgumentHelp("What the evaluator may send. (default: 64Mi)", valueName: "size"))
    var maxResult: String?

    @Option(help: ArgumentHelp("Blocks within each other. (default: 64)", valueName: "count"))
    var maxNesting: Int?

    /// Evaluates without the hooks that word refusals. Nothing that contains code may depend on
    /// them, which the tests of containment show by leaving them out.
    @Flag(help: .hidden)
    var noAudit = false

    /// The defaults with what was given.
    func limits() throws(Failure) -> Limits {
        var limits = Limits()
        if let timeout { limits.wallClock = try Self.duration(timeout, option: "--timeout") }
        if let memory { limits.memoryBytes = try Self.size(memory, option: "--memory") }
        if let maxOutput { limits.outputBytes = try Self.size(maxOutput, option: "--max-output") }
        if let maxResult { limits.resultBytes = try Self.size(maxResult, option: "--max-result") }
        if let maxSteps { limits.steps = try Self.count(maxSteps, option: "--max-steps") }
        if let maxPaths { limits.paths = try Self.count(maxPaths, option: "--max-paths") }
        if let maxNesting { limits.nesting = try Self.count(maxNesting, option: "--max-nesting") }
        return limits
    }

    private static func count(_ value: Int, option: String) throws(Failure) -> Int {
        guard value > 0 && value <= 10_000_000 else {
            throw .mistake("\(option) \(value) is not between 1 and 10000000")
        }
        return value
    }

    /// Parses `500ms`, `5s`, `5`, `1m`.
    static func duration(_ text: String, option: String) throws(Failure) -> Duration {
        let units: [(String, Double)] = [("ms", 0.001), ("s", 1), ("m", 60), ("h", 3600), ("", 1)]
        for (suffix, factor) in units where text.hasSuffix(suffix) {
            guard let number = Double(text.dropLast(suffix.count)), number > 0,
                number * factor <= 3600
            else { break }
            return .milliseconds(Int64((number * factor * 1000).rounded(.up)))
        }
        throw .mistake("\(option) \(text) is not a time", hint: "Write 5s, 500ms or 1m.")
    }

    /// Parses `512Mi`, `1Gi`, `1048576`.
    static func size(_ text: String, option: String) throws(Failure) -> Int {
        let units = [("Ki", 10), ("Mi", 20), ("Gi", 30), ("", 0)]
        for (suffix, shift) in units where text.hasSuffix(suffix) {
            guard let number = Int(text.dropLast(suffix.count)), number > 0,
                number <= (1 << 40) >> shift
            else { break }
            return number << shift
        }
        throw .mistake("\(option) \(text) is not a size", hint: "Write 512Mi, 1Gi or 65536.")
    }
}
