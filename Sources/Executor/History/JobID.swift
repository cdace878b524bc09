/// The name of a job: nine letters and digits, later ones after earlier ones.
///
/// Seven digits (Crockford's base 32, in small letters) count 32nds of a second since 2020, two are
/// random. A job owns its name because it made the folder of that name: nothing else has to agree.
package struct JobID: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The nine characters.
    package let text: String

    private static let digits = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)
    private static let timeDigits = 7
    private static let randomDigits = 2
    /// 2020-01-01T00:00:00Z.
    private static let epochSeconds: Int64 = 1_577_836_800

    /// A new name for a job that begins now.
    package init(at time: Timestamp, random: UInt64) {
        let microseconds = max(0, time.microseconds - Self.epochSeconds * 1_000_000)
        let ticks = UInt64(microseconds / 31_250)
        var characters: [UInt8] = []
        for place in stride(from: Self.timeDigits - 1, through: 0, by: -1) {
            characters.append(Self.digits[Int(ticks >> UInt64(5 * place) & 31)])
        }
        for place in 0..<Self.randomDigits {
            characters.append(Self.digits[Int(random >> UInt64(5 * place) & 31)])
        }
        text = String(decoding: characters, as: UTF8.self)
    }

    /// A new name that is also later than the last one given, when the clock went back or more jobs
    /// begin at once than there are names for a moment. `nil` when there is no later name.
    package init?(after last: JobID?, at time: Timestamp, random: UInt64) {
        let name = JobID(at: time, random: random)
        guard let last, name <= last else {
            self = name
            return
        }
        var characters = Array(last.text.utf8)
        var place = characters.count - 1
        while place >= 0, characters[place] == Self.digits[31] {
            characters[place] = Self.digits[0]
            place -= 1
        }
        guard place >= 0, let digit = Self.digits.firstIndex(of: characters[place]) else {
            return nil
        }
        characters[place] = Self.digits[digit + 1]
        text = String(decoding: characters, as: UTF8.self)
    }

    /// Reads a name; `nil` when the text is none.
    package init?(_ text: String) {
        guard text.utf8.count == Self.timeDigits + Self.randomDigits, Self.isPart(text) else {
            return nil
        }
        self.text = text
    }

    /// Whether a text may be a part of a name.
    static func isPart(_ text: String) -> Bool { text.utf8.allSatisfy(digits.contains) }

    /// The nine characters.
    package var description: String { text }

    /// The one that began earlier is less.
    package static func < (a: JobID, b: JobID) -> Bool { a.text < b.text }
}
