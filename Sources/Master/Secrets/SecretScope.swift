/// Whose a secret is.
package enum SecretScope: Sendable, Hashable, CustomStringConvertible {
    /// Any pipeline's.
    case global
    /// That of the pipelines of one team.
    case team(String)
    /// That of one pipeline.
    case pipeline(String)

    /// `global`, `team:NAME`, `pipeline:NAME`: the form in the database and in sealed values.
    package var description: String {
        switch self {
        case .global: "global"
        case .team(let name): "team:\(name)"
        case .pipeline(let name): "pipeline:\(name)"
        }
    }

    /// Parses the form of `description`; `nil` for anything else.
    package init?(_ text: String) {
        if text == "global" {
            self = .global
            return
        }
        let halves = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard halves.count == 2 else { return nil }
        let name = String(halves[1])
        switch halves[0] {
        case "team": self = .team(name)
        case "pipeline": self = .pipeline(name)
        default: return nil
        }
        guard hasName else { return nil }
    }

    /// Whether its name is one that a team or a pipeline can have: 1 to 200 bytes on one line.
    var hasName: Bool {
        switch self {
        case .global: true
        case .team(let name), .pipeline(let name):
            (1...200).contains(name.utf8.count) && name.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F }
        }
    }
}

/// What a secret is called: its name within its scope.
package struct SecretID: Sendable, Hashable, CustomStringConvertible {
    /// Whose it is.
    package let scope: SecretScope
    /// `[A-Za-z_][A-Za-z0-9_]*`.
    package let name: String

    /// Bytes of a name at most.
    package static let mostNameBytes = 256

    /// Throws `badName` and `badScope`.
    package init(_ scope: SecretScope, _ name: String) throws(SecretError) {
        guard let first = name.utf8.first, !first.isDigit, name.utf8.allSatisfy({ $0.isWord }),
            name.utf8.count <= Self.mostNameBytes
        else { throw .badName(ShownText.line(name, most: 64)) }
        guard scope.hasName else {
            throw .badScope(ShownText.line(scope.description, most: 64))
        }
        self.scope = scope
        self.name = name
    }

    /// `team:platform/NPM_TOKEN`.
    package var description: String { "\(scope)/\(name)" }
}
