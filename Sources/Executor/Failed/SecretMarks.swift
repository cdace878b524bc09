/// Fills secrets in where a text has marks for them, as `ResolvedStep` makes them.
struct SecretMarks {
    private let values: SecretValues
    /// Keys of secrets that a text asked for and that are not given, ascending.
    private(set) var missing: Set<String> = []
    /// Whether any was filled in.
    private(set) var hasFilled = false

    /// A mark for a secret. No text that a step gets has a NUL in it.
    static func mark(_ key: String) -> String { "\u{0}secret \(key)\u{0}" }

    init(_ values: SecretValues) { self.values = values }

    /// The text with its secrets; `nil` when one of them is not given.
    mutating func fill(_ text: String) -> String? {
        let parts = text.split(separator: "\u{0}", omittingEmptySubsequences: false)
        if parts.count == 1 { return text }
        var filled = ""
        var isWhole = true
        for (number, part) in parts.enumerated() {
            guard number % 2 == 1, part.hasPrefix("secret ") else {
                filled += part
                continue
            }
            let key = String(part.dropFirst("secret ".count))
            guard let value = values[key] else {
                missing.insert(key)
                isWhole = false
                continue
            }
            hasFilled = true
            filled += value
        }
        return isWhole ? filled : nil
    }
}
