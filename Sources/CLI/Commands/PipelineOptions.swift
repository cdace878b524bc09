import ArgumentParser

/// What a pipeline is compiled for, beside the event.
struct PipelineOptions: ParsableArguments {
    @Option(
        name: [.customLong("param"), .customShort("p")],
        help: ArgumentHelp(
            "A parameter of the pipeline; may be repeated.", valueName: "name=value"))
    var parameters: [String] = []

    @Option(help: "The branch (default: the one checked out).")
    var branch: String?

    @Option(help: "The tag; implies --event tag.")
    var tag: String?

    func validate() throws {
        for parameter in parameters where !parameter.contains("=") {
            throw ValidationError("--param \(parameter) has no value; write \(parameter)=VALUE.")
        }
    }

    /// The event, where none or this one was given.
    func event(_ given: PlanEvent?) -> String { (given ?? (tag == nil ? .manual : .tag)).rawValue }

    /// Puts all of it into an order.
    func fill(_ order: inout Compilations.Order, event: PlanEvent?) {
        order.parameters = parameters.map { parameter in
            let parts = parameter.split(
                separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (String(parts[0]), parts.count > 1 ? String(parts[1]) : "")
        }
        order.event = self.event(event)
        order.branch = branch
        order.tag = tag
    }

    /// The words that ask for the same again.
    var words: [String] {
        var words = parameters.flatMap { ["--param", $0] }
        if let branch { words += ["--branch", branch] }
        if let tag { words += ["--tag", tag] }
        return words
    }
}

/// Why a pipeline runs.
enum PlanEvent: String, ExpressibleByArgument, CaseIterable, Sendable {
    case push, tag, cron, manual
    case pullRequest = "pull_request"
}
