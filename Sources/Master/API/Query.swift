internal import Hummingbird

/// The query of a request, of which every part is known.
struct Query {
    private var values: [String: String] = [:]

    /// Reads it.
    init(_ request: Request, known: Set<String>) throws {
        for (key, value) in request.uri.queryParameters {
            guard known.contains(String(key)) else {
                throw Problem(
                    .badRequest, "The query has an unknown part `\(key)`.",
                    hint: "Known are \(known.sorted().joined(separator: ", ")).")
            }
            guard !value.contains("\0") else {
                throw Problem(.badRequest, "`\(key)` holds a NUL.")
            }
            values[String(key)] = String(value)
        }
    }

    /// A part; `nil` when it is missing or empty.
    subscript(_ key: String) -> String? { values[key].flatMap { $0.isEmpty ? nil : $0 } }

    /// A whole number within bounds.
    func integer(_ key: String, _ range: ClosedRange<Int>) throws -> Int? {
        guard let text = self[key] else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw Problem(
                .badRequest,
                "`\(key)` is no whole number from \(range.lowerBound) to \(range.upperBound).")
        }
        return number
    }

    /// `1` or `true`.
    func flag(_ key: String) -> Bool { self[key] == "1" || self[key] == "true" }
}
