/// What part of some bytes a request wants (RFC 9110, section 14).
enum ByteRange: Equatable {
    /// All of them: no part was asked for, several were, or in words that mean nothing.
    case all
    /// These, of which there is at least one.
    case part(Range<Int64>)
    /// None that there are.
    case unsatisfiable

    /// Reads the header `Range`.
    init(_ header: String?, size: Int64) {
        self = .all
        let unit = "bytes="
        guard let header, header.hasPrefix(unit), !header.contains(",") else { return }
        let ends = header.dropFirst(unit.count).split(
            separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        guard ends.count == 2, ends.allSatisfy(Self.isNumber) else { return }
        if ends[0].isEmpty {
            guard let count = Self.number(ends[1]) else { return }
            self =
                count == 0 || size == 0
                ? .unsatisfiable : .part(max(0, size - count)..<size)
            return
        }
        guard let first = Self.number(ends[0]) else { return }
        let last = Self.number(ends[1]) ?? .max
        guard first <= last else { return }
        self = first < size ? .part(first..<min(size - 1, last) + 1) : .unsatisfiable
    }

    private static func isNumber(_ text: Substring) -> Bool {
        text.utf8.allSatisfy { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
    }

    /// A number; greater ones than there are stand for the greatest.
    private static func number(_ text: Substring) -> Int64? {
        text.isEmpty ? nil : Int64(text) ?? .max
    }
}
