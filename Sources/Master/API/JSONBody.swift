internal import Compiler
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

/// The body of a request: an object of JSON with known members only, or nothing.
struct JSONBody {
    private let value: JSONValue

    /// Reads it, within a bound.
    init(_ request: Request, of keys: Set<String>) async throws {
        let buffer: ByteBuffer
        do {
            buffer = try await request.body.collect(upTo: APIContext.mostBodyBytes)
        } catch is NIOTooManyBytesError {
            throw Problem(
                .contentTooLarge, "The body has more than \(APIContext.mostBodyBytes) bytes.")
        }
        let bytes = Array(buffer.readableBytesView)
        if bytes.isEmpty {
            value = .object([])
            return
        }
        do {
            value = try JSONValue.parse(bytes)
        } catch {
            throw Problem(.badRequest, "The body is no JSON: \(error).")
        }
        guard let members = value.members else {
            throw Problem(.badRequest, "The body is no object of JSON.")
        }
        if let unknown = members.first(where: { !keys.contains($0.key) }) {
            throw Problem(
                .badRequest, "The body has an unknown member `\(unknown.key)`.",
                hint: "Known are \(keys.sorted().joined(separator: ", ")).")
        }
    }

    /// A member; `nil` when it is missing or null.
    subscript(_ key: String) -> JSONValue? {
        guard let value = value[key], value != .null else { return nil }
        return value
    }

    /// A text.
    func text(_ key: String) throws -> String? {
        guard let value = self[key] else { return nil }
        guard let text = value.text, !text.contains("\0") else {
            throw Problem(.unprocessableContent, "`\(key)` is no text.")
        }
        return text
    }

    /// An array of texts; empty when it is missing.
    func texts(_ key: String) throws -> [String] {
        guard let value = self[key] else { return [] }
        guard case .array(let values) = value else {
            throw Problem(.unprocessableContent, "`\(key)` is no array.")
        }
        return try values.map { value in
            guard let text = value.text, !text.contains("\0") else {
                throw Problem(.unprocessableContent, "`\(key)` has an element that is no text.")
            }
            return text
        }
    }

    /// A text that has to be there.
    func neededText(_ key: String) throws -> String {
        guard let text = try text(key), !text.isEmpty else {
            throw Problem(.unprocessableContent, "`\(key)` is missing.")
        }
        return text
    }

    /// A whole number within bounds.
    func integer(_ key: String, _ range: ClosedRange<Int64>) throws -> Int64? {
        guard let value = self[key] else { return nil }
        guard case .integer(let number) = value, let number = Int64(exactly: number),
            range.contains(number)
        else {
            throw Problem(
                .unprocessableContent,
                "`\(key)` is no whole number from \(range.lowerBound) to \(range.upperBound).")
        }
        return number
    }

    /// Yes or no.
    func bool(_ key: String) throws -> Bool? {
        guard let value = self[key] else { return nil }
        guard case .bool(let bool) = value else {
            throw Problem(.unprocessableContent, "`\(key)` is neither true nor false.")
        }
        return bool
    }
}
