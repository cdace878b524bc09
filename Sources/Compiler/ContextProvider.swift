/// Gives the values of `ctx` to a danubefile, each when it is first read.
package protocol ContextProvider {
    /// The value of `ctx.<name>`.
    func value(_ name: String) -> ContextAnswer
}

/// What `ctx.<name>` is.
package enum ContextAnswer: Sendable, Equatable {
    case value(JSONValue)
    /// There is no such name.
    case unknown
    /// It is there but cannot be found out, such as changed files of a damaged repository.
    case failed(String)
}

/// A provider that remembers which values were read.
package final class RecordedContext: ContextProvider {
    private let provider: any ContextProvider
    private var answers: [String: ContextAnswer] = [:]

    /// Records reads of `provider`.
    package init(_ provider: any ContextProvider) { self.provider = provider }

    /// Asks the provider once for each name that exists.
    package func value(_ name: String) -> ContextAnswer {
        if let known = answers[name] { return known }
        let answer = provider.value(name)
        // Names that do not exist come from the danubefile, so they are not worth remembering.
        if answer != .unknown { answers[name] = answer }
        return answer
    }

    /// What was read, as JSON, sorted by name.
    package var values: [(name: String, json: String)] {
        answers.compactMap { name, answer in
            guard case .value(let value) = answer else { return nil }
            return (name, value.canonical)
        }
        .sorted { $0.name < $1.name }
    }

    /// Whether every value that was asked for could be found out.
    package var isWhole: Bool {
        answers.values.allSatisfy { if case .failed = $0 { false } else { true } }
    }
}

/// A context without values.
struct EmptyContext: ContextProvider {
    func value(_ name: String) -> ContextAnswer { .unknown }
}
