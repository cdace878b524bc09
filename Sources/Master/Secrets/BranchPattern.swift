/// A pattern for names of branches: `*` is any run of characters without `/`, `**` any run, `?` one
/// character that is no `/`. All else stands for itself, byte by byte: `Main` is not `main`, and
/// letters that only look alike are different.
package struct BranchPattern: Sendable, Hashable {
    /// As it was written.
    package let text: String

    private static let mostBytes = 256
    /// A longer branch matches nothing.
    private static let mostBranchBytes = 1024

    /// Throws `badRestriction` when it is empty, too long, or has blanks or control characters.
    package init(_ text: String) throws(SecretError) {
        guard (1...Self.mostBytes).contains(text.utf8.count),
            text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F })
        else {
            throw .badRestriction(
                "`\(ShownText.line(text, most: 64))` is no pattern for a branch.")
        }
        self.text = text
    }

    /// Whether a branch, without `refs/heads/`, matches as a whole. Time is bounded by the product
    /// of the lengths: every position of the pattern that may be next is kept, none is tried twice.
    package func matches(_ branch: String) -> Bool {
        let pattern = Array(text.utf8)
        guard (1...Self.mostBranchBytes).contains(branch.utf8.count) else { return false }
        let slash = UInt8(ascii: "/")
        var live = Set(Self.reach(0, pattern))
        for byte in branch.utf8 {
            var next: Set<Int> = []
            for position in live where position < pattern.count {
                if pattern[position] == UInt8(ascii: "*") {
                    let crosses = Self.isDouble(position, pattern)
                    if crosses || byte != slash { next.formUnion(Self.reach(position, pattern)) }
                } else if pattern[position] == UInt8(ascii: "?") {
                    // A character of more bytes than one is taken whole: its rest is skipped.
                    if byte != slash, byte & 0xC0 != 0x80 {
                        next.formUnion(Self.reach(position + 1, pattern))
                    }
                } else if pattern[position] == byte {
                    next.formUnion(Self.reach(position + 1, pattern))
                }
            }
            if byte & 0xC0 == 0x80 {
                let afterMark = live.filter {
                    $0 > 0 && $0 <= pattern.count && pattern[$0 - 1] == UInt8(ascii: "?")
                }
                next.formUnion(afterMark)
            }
            if next.isEmpty { return false }
            live = next
        }
        return live.contains(pattern.count)
    }

    /// The positions that are next at one: it, and what follows stars, which may stand for nothing.
    private static func reach(_ position: Int, _ pattern: [UInt8]) -> [Int] {
        var found = [position]
        var at = position
        while at < pattern.count, pattern[at] == UInt8(ascii: "*") {
            at += isDouble(at, pattern) ? 2 : 1
            found.append(at)
        }
        return found
    }

    /// Whether a `**` begins at a position.
    private static func isDouble(_ position: Int, _ pattern: [UInt8]) -> Bool {
        position + 1 < pattern.count && pattern[position + 1] == UInt8(ascii: "*")
    }
}
