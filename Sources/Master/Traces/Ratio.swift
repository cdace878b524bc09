/// A share of a whole, from 0 to 1, in millionths.
package struct Ratio: Sendable, Equatable {
    /// From 0 to 1,000,000.
    package let millionths: Int

    /// All of it.
    package static let whole = Ratio(millionths: 1_000_000)

    private init(millionths: Int) { self.millionths = millionths }

    /// Reads `1`, `0.25`, at most six digits after the point; `nil` for what is no such number, or
    /// is beyond 1.
    package init?(_ text: String) {
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        let fraction = parts.count > 1 ? parts[1] : "0"
        guard let whole = parts.first, whole == "0" || whole == "1",
            (1...6).contains(fraction.utf8.count), fraction.utf8.allSatisfy(\.isDigit),
            let part = Int(fraction + String(repeating: "0", count: 6 - fraction.utf8.count)),
            whole == "0" || part == 0
        else { return nil }
        millionths = whole == "1" ? 1_000_000 : part
    }

    /// As it is read, without zeros at the end.
    package var text: String {
        guard millionths < 1_000_000, millionths > 0 else { return millionths > 0 ? "1" : "0" }
        var digits = String(1_000_000 + millionths).dropFirst()
        while digits.hasSuffix("0") { digits = digits.dropLast() }
        return "0.\(digits)"
    }

    /// Whether a number that may be any of 64 bits is among the share.
    func includes(_ place: UInt64) -> Bool {
        place / (UInt64.max / 1_000_000 + 1) < UInt64(millionths)
    }
}
