/// Sizes and ages as people say them.
enum SizeText {
    /// `0 B`, `812 B`, `4.0 KiB`, `17 MiB`, `1.2 GiB`.
    static func bytes(_ count: Int64) -> String {
        let units = ["KiB", "MiB", "GiB", "TiB", "PiB"]
        if count < 1024 { return "\(max(0, count)) B" }
        var value = count
        var unit = -1
        var tenths: Int64 = 0
        // Rounded as it is shown, so that nothing reads as 1024 KiB.
        while unit + 1 < units.count, unit < 0 || tenths >= 10_235 {
            unit += 1
            tenths = value / 1024 * 10 + (value % 1024 * 10 + 512) / 1024
            value /= 1024
        }
        if tenths < 100 { return "\(tenths / 10).\(tenths % 10) \(units[unit])" }
        return "\((tenths + 5) / 10) \(units[unit])"
    }

    /// How long ago a time was: `now`, `40 s`, `3 min`, `5 h`, `12 days`.
    static func age(of time: Int64, now: Int64) -> String {
        let seconds = max(0, now - time)
        switch seconds {
        case ..<5: return "now"
        case ..<60: return "\(seconds) s"
        case ..<3600: return "\(seconds / 60) min"
        case ..<86_400: return "\(seconds / 3600) h"
        case ..<172_800: return "1 day"
        default: return "\(seconds / 86_400) days"
        }
    }
}
