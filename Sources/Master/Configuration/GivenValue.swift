/// A value as it was given, before the schema says what it means.
enum GivenValue: Equatable {
    /// A string of TOML.
    case text(String)
    case integer(Int64)
    /// A number with a fraction or an exponent, as it is written.
    case fraction(String)
    case boolean(Bool)
    /// An array of strings of TOML.
    case list([String])
    /// A value of TOML that no key has, by its description (`a table`).
    case other(String)
    /// The value of a variable or flag, which has no type.
    case words(String)

    /// What it is, for a message; its value only where it does not look like a secret.
    var shown: String {
        switch self {
        case .text(let text): "the text \(ShownText.value(text))"
        case .integer(let number): "the integer `\(number)`"
        case .fraction: "a number with a fraction"
        case .boolean(let value): "`\(value)`"
        case .list: "an array"
        case .other(let description): description
        case .words(let text): ShownText.value(text)
        }
    }
}
