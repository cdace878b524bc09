/// Which jobs a secret is given to, beside those of its scope.
package struct SecretRestriction: Sendable, Hashable {
    /// The branch matches one of these; any, and none, when there are none.
    package let branches: [BranchPattern]
    /// The job's event is one of these (`push`, `schedule`); any when there are none.
    package let events: [String]

    /// No restriction.
    package static let none = SecretRestriction()

    private static let most = 32

    private init() {
        branches = []
        events = []
    }

    /// Throws `badRestriction` for a bad pattern, a bad event, or more than 32 of them.
    package init(branches: [String], events: [String]) throws(SecretError) {
        guard branches.count <= Self.most, events.count <= Self.most else {
            throw .badRestriction("A secret has at most \(Self.most) branches and events.")
        }
        var patterns: [BranchPattern] = []
        for branch in branches { patterns.append(try BranchPattern(branch)) }
        for event in events {
            let isWord = event.utf8.allSatisfy { $0.isWord || $0 == UInt8(ascii: "-") }
            guard isWord, (1...64).contains(event.utf8.count) else {
                throw .badRestriction("`\(ShownText.line(event, most: 64))` is no event.")
            }
        }
        self.branches = patterns
        self.events = events
    }

    /// The form in the database: a line `branch PATTERN` or `event NAME` for each.
    package var text: String {
        branches.map { "branch \($0.text)\n" }.joined() + events.map { "event \($0)\n" }.joined()
    }

    /// Parses the form of `text`.
    package init(text: String) throws(SecretError) {
        var branches: [String] = []
        var events: [String] = []
        for line in text.split(separator: "\n") {
            if line.hasPrefix("branch ") {
                branches.append(String(line.dropFirst("branch ".count)))
            } else if line.hasPrefix("event ") {
                events.append(String(line.dropFirst("event ".count)))
            } else {
                throw .badRestriction("A stored restriction cannot be read.")
            }
        }
        try self.init(branches: branches, events: events)
    }
}
