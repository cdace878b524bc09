/// What the form of a diagnostic's code tells.
enum DiagnosticCodes {
    /// Whether a text has the form of a code: `DNB` and three digits.
    static func isCode(_ text: String) -> Bool {
        text.utf8.count == 6 && text.hasPrefix("DNB")
            && text.utf8.dropFirst(3).allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
    }

    /// What a code means, in a few words; `nil` for an unknown one.
    static func meaning(_ code: String) -> String? { nil }

    /// Whether the environment is at fault, not the danubefile.
    static func isEnvironment(_ code: String) -> Bool { code.hasPrefix("DNB9") }
}
