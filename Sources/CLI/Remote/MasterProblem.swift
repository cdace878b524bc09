import Compiler

/// Why a master refused, by RFC 9457.
struct MasterProblem {
    private let status: Int
    private let detail: String?
    private let hint: String?
    private let location: String?

    private static let mostCharacters = 1000

    /// Reads a refusal. What is no problem document gives its status alone.
    init(_ head: HTTPHead, _ body: [UInt8]) {
        status = head.status
        location = head.fields["location"]
        let document = try? JSONValue.parse(body)
        detail = Self.text(document?["detail"]) ?? Self.text(document?["title"])
        hint = Self.text(document?["hint"])
    }

    /// What it is for a person: their mistake, or their environment's failure.
    func failure(of address: MasterAddress) -> Failure {
        let place = address.text
        switch status {
        case 300..<400:
            let target = location.map { " to \($0)" } ?? ""
            return .environment(
                "\(place) answers with a redirect\(target), which is not followed:"
                    + " the token is for \(address.host) only",
                hint: "Where that is the master, `danube login` to it.")
        case 401:
            return .environment(
                "\(place) does not accept the token\(detail.map { ": \($0)" } ?? "")",
                hint: hint ?? "`danube login \(place)` with one that is valid.")
        case 403:
            return .environment(
                detail ?? "the token may not do this on \(place)",
                hint: hint ?? "Ask for a token with a wider scope, and `danube login \(place)`.")
        case 400..<500 where status != 429:
            guard let detail else {
                return .mistake(
                    "\(place) answered \(status)", hint: "Is it the address of a Danube master?")
            }
            return .mistake(detail, hint: hint)
        case 429, 503:
            return .environment(
                "\(place) is busy\(detail.map { ": \($0)" } ?? " (\(status))")",
                hint: hint ?? "Try again later.")
        default:
            return .environment(
                "\(place) failed with \(status)\(detail.map { ": \($0)" } ?? "")",
                hint: hint ?? "Its log says why.")
        }
    }

    private static func text(_ value: JSONValue?) -> String? {
        guard let text = value?.text, !text.isEmpty else { return nil }
        return String(text.prefix(mostCharacters))
    }
}
