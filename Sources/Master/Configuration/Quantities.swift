/// Durations and sizes as people write them.
enum Quantities {
    private static let units: [(word: String, seconds: Int64)] = [
        ("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1),
    ]
    private static let multiples: [(word: String, bytes: Int64)] = [
        ("Ti", 1 << 40), ("Gi", 1 << 30), ("Mi", 1 << 20), ("Ki", 1 << 10),
        ("T", 1_000_000_000_000), ("G", 1_000_000_000), ("M", 1_000_000), ("K", 1_000),
    ]

    /// Seconds of `30s`, `5m`, `1h30m`, `7d`; `nil` for anything else and what is too large.
    static func seconds(_ text: String) -> Int64? {
        var rest = text.utf8[...]
        guard !rest.isEmpty, rest.count <= 32 else { return nil }
        var total: Int64 = 0
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isDigit }
            rest = rest.dropFirst(digits.count)
            guard let value = Int64(String(Substring(digits))), let letter = rest.popFirst(),
                let unit = units.first(where: { $0.word.utf8.first == letter })
            else { return nil }
            let (part, tooLong) = value.multipliedReportingOverflow(by: unit.seconds)
            let (sum, overflow) = total.addingReportingOverflow(part)
            if tooLong || overflow { return nil }
            total = sum
        }
        return total
    }

    /// The shortest form of a whole number of seconds.
    static func text(seconds: Int64) -> String {
        var rest = seconds
        var text = ""
        for unit in units where rest >= unit.seconds {
            text += "\(rest / unit.seconds)\(unit.word)"
            rest %= unit.seconds
        }
        return text.isEmpty ? "0s" : text
    }

    /// Bytes of `10Gi`, `512Mi`, `4K`, `1048576`; `nil` for anything else and what is too large.
    static func bytes(_ text: String) -> Int64? {
        let digits = String(Substring(text.utf8.prefix { $0.isDigit }))
        guard text.utf8.count <= 32, let value = Int64(digits) else { return nil }
        let unit = text.dropFirst(digits.count)
        if unit.isEmpty { return value }
        guard let multiple = multiples.first(where: { $0.word == unit }) else { return nil }
        let (bytes, overflow) = value.multipliedReportingOverflow(by: multiple.bytes)
        return overflow ? nil : bytes
    }

    /// The shortest exact form.
    static func text(bytes: Int64) -> String {
        var shortest = String(bytes)
        for multiple in multiples where bytes > 0 && bytes % multiple.bytes == 0 {
            let text = "\(bytes / multiple.bytes)\(multiple.word)"
            if text.utf8.count < shortest.utf8.count { shortest = text }
        }
        return shortest
    }
}
