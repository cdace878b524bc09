/// How long something took, as people say it.
enum DurationText {
    /// `40 ms`, `0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`.
    static func render(_ duration: Duration) -> String {
        let parts = duration.components
        let milliseconds = parts.seconds * 1000 + parts.attoseconds / 1_000_000_000_000_000
        switch milliseconds {
        case ..<100: return "\(milliseconds) ms"
        case ..<10_000:
            let tenths = (milliseconds + 50) / 100
            return "\(tenths / 10).\(tenths % 10) s"
        case ..<60_000: return "\(milliseconds / 1000) s"
        case ..<3_600_000: return "\(milliseconds / 60_000) min \(milliseconds / 1000 % 60) s"
        default: return "\(milliseconds / 3_600_000) h \(milliseconds / 60_000 % 60) min"
        }
    }

    /// Whole milliseconds, for JSON.
    static func milliseconds(_ duration: Duration) -> Int64 {
        let parts = duration.components
        return parts.seconds * 1000 + parts.attoseconds / 1_000_000_000_000_000
    }
}
