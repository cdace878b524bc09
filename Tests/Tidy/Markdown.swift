/// Links and headings of a Markdown page, outside code.
struct Markdown {
    private(set) var links: [(target: String, line: Int)] = []
    /// The names that a link can give after `#`, in order, as forges make them.
    private(set) var anchors: [String] = []

    init(_ text: String) {
        var fence: Substring?
        var seen: [String: Int] = [:]
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false)
            .enumerated()
        {
            let start = line.drop { $0 == " " }
            let ticks = start.prefix { $0 == "`" }
            if let open = fence {
                if ticks.count >= open.count, start.count == ticks.count { fence = nil }
                continue
            }
            if ticks.count >= 3 {
                fence = ticks
                continue
            }
            if line.hasPrefix("#") {
                let anchor = Self.anchor(line.drop { $0 == "#" })
                let count = seen[anchor, default: 0]
                anchors.append(count == 0 ? anchor : "\(anchor)-\(count)")
                seen[anchor] = count + 1
            }
            links += Self.targets(line).map { ($0, index + 1) }
        }
    }

    private static func anchor(_ heading: Substring) -> String {
        var anchor = ""
        for character in heading.drop(while: { $0 == " " }).lowercased() {
            if character.isLetter || character.isNumber || character == "-" || character == "_" {
                anchor.append(character)
            } else if character == " " {
                anchor.append("-")
            }
        }
        return anchor
    }

    private static func targets(_ line: Substring) -> [String] {
        var targets: [String] = []
        var inCode = false
        var rest = line
        while let character = rest.first {
            if character == "`" { inCode.toggle() }
            if !inCode, rest.hasPrefix("](") {
                let target = rest.dropFirst(2).prefix { $0 != ")" && $0 != " " }
                targets.append(String(target))
            }
            rest = rest.dropFirst()
        }
        return targets
    }
}
