internal import PipelineIR

/// The secrets that were given to a run, by key. Their values are in no description of it.
package struct SecretValues: Sendable, CustomStringConvertible {
    private var values: [String: String] = [:]

    /// Creates an empty set.
    package init() {}

    /// Sets a value; a later one wins.
    package mutating func set(_ key: String, _ value: String) { values[key] = value }

    /// The value of a secret.
    package subscript(key: String) -> String? { values[key] }

    /// Keys and values, for taking them out of logs.
    var named: [(name: String, value: String)] {
        values.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// Whether there are none.
    package var isEmpty: Bool { values.isEmpty }

    /// What tells one value of a secret from another without telling the value: a digest with a
    /// salt that only this machine's history knows, so that nobody can try values against it.
    package func version(of key: String, salt: [UInt8]) -> String? {
        guard let value = values[key] else { return nil }
        var hasher = DigestHasher()
        hasher.update(salt)
        hasher.update([0])
        hasher.update(value)
        return String(hasher.finalize().hex.prefix(24))
    }

    /// What tells these secrets from others without telling any, for the cache in a folder.
    package func version(cacheFolder: String) -> String {
        if values.isEmpty { return "" }
        // Where there is no salt, there is nothing that was kept either.
        let salt = LocalRun.knownSalt(cacheFolder) ?? []
        return values.keys.sorted().map { "\($0)=\(version(of: $0, salt: salt) ?? "")" }
            .joined(separator: "\0")
    }

    /// The keys, never a value.
    package var description: String { "secrets \(values.keys.sorted())" }
}
