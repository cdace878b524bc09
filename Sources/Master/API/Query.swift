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
            guard values.updateValue(String(value), forKey: String(key)) == nil else {
                throw Problem(.badRequest, "`\(key)` is given more than once.")
            }
        }
    }

    /// A part; `nil` when it is missing.
    subscript(_ key: String) -> String? { values[key] }

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

    /// Yes or no; no when it is missing.
    func flag(_ key: String) throws -> Bool {
        switch self[key] {
        case nil, "0", "false": return false
        case "1", "true": return true
        default:
            throw Problem(.badRequest, "`\(key)` is neither 1 nor 0.")
        }
    }
}
