internal import PipelineIR

/// Where a value was given, as far as its meaning depends on it.
struct Surroundings: Sendable {
    /// The folder that relative paths begin at; absolute.
    var folder: String
    /// What `~/` stands for.
    var home: String?
}

/// Why a value is not of its form: the rest of a sentence that begins with the key.
struct ValueMistake: Error {
    var message: String
    var hint: String?
}

/// A form of values: how they are read from what was given, and written in TOML.
struct ValueForm<Value: Sendable & Equatable>: Sendable {
    /// Its name in documents, such as `integer, 1 to 64`.
    let name: String
    let read: @Sendable (GivenValue, Surroundings) throws(ValueMistake) -> Value
    /// As a value of TOML.
    let write: @Sendable (Value) -> String

    /// A mistake that says what was given and what should have been.
    static func mistake(
        _ given: GivenValue, _ wanted: String, hint: String? = nil
    ) -> ValueMistake {
        ValueMistake(message: "is \(given.shown), but must be \(wanted)", hint: hint)
    }
}

/// A text as a string of TOML, which is one of JSON too.
func quotedTOML(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": quoted += "\\\""
        case "\\": quoted += "\\\\"
        case _ where scalar.isControl:
            let digits = String(scalar.value, radix: 16)
            quoted += "\\u" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
        default: quoted.unicodeScalars.append(scalar)
        }
    }
    return quoted + "\""
}

extension ValueForm where Value == Bool {
    /// `true` or `false`.
    static let boolean = ValueForm(
        name: "boolean",
        read: { given, _ throws(ValueMistake) in
            switch given {
            case .boolean(let value): return value
            case .words("true"): return true
            case .words("false"): return false
            default:
                throw mistake(given, "true or false", hint: "Write it without quotes.")
            }
        },
        write: { String($0) })
}

extension ValueForm where Value == Int {
    /// A whole number.
    static func integer(_ range: ClosedRange<Int>) -> ValueForm {
        let wanted = "an integer from \(range.lowerBound) to \(range.upperBound)"
        return ValueForm(
            name: "integer, \(range.lowerBound) to \(range.upperBound)",
            read: { given, _ throws(ValueMistake) in
                let number: Int? =
                    switch given {
                    case .integer(let number): Int(exactly: number)
                    case .words(let text): Int(text)
                    default: nil
                    }
                guard let number, range.contains(number) else {
                    let isQuoted = if case .text = given { true } else { false }
                    throw mistake(given, wanted, hint: isQuoted ? "Write no quotes." : nil)
                }
                return number
            },
            write: { String($0) })
    }
}

extension ValueForm where Value == Ratio {
    /// A share of a whole.
    static let ratio = ValueForm(
        name: "number, 0 to 1",
        read: { given, _ throws(ValueMistake) in
            let ratio: Ratio? =
                switch given {
                case .integer(let number): Ratio("\(number)")
                case .fraction(let text), .words(let text): Ratio(text)
                default: nil
                }
            guard let ratio else {
                throw mistake(
                    given, "a number from 0 to 1", hint: "Write 0.25, with six digits at most.")
            }
            return ratio
        },
        write: { $0.text })
}

extension ValueForm where Value == Int64 {
    /// Bytes, also with a unit.
    static func size(_ range: ClosedRange<Int64>) -> ValueForm {
        let limits =
            "\(Quantities.text(bytes: range.lowerBound)) to "
            + Quantities.text(bytes: range.upperBound)
        return ValueForm(
            name: "size, \(limits)",
            read: { given, _ throws(ValueMistake) in
                let bytes: Int64? =
                    switch given {
                    case .integer(let bytes): bytes
                    case .text(let text), .words(let text): Quantities.bytes(text)
                    default: nil
                    }
                guard let bytes, range.contains(bytes) else {
                    throw mistake(
                        given, "a size from \(limits)",
                        hint: "Write bytes, or a number with Ki, Mi, Gi or Ti, such as \"10Gi\".")
                }
                return bytes
            },
            write: { quotedTOML(Quantities.text(bytes: $0)) })
    }
}

extension ValueForm where Value == Duration {
    /// A time span with units, in whole seconds.
    static func duration(_ least: String, _ most: String) -> ValueForm {
        let range = (Quantities.seconds(least) ?? 0)...(Quantities.seconds(most) ?? 0)
        return ValueForm(
            name: "duration, \(least) to \(most)",
            read: { given, _ throws(ValueMistake) in
                let seconds: Int64? =
                    switch given {
                    case .text(let text), .words(let text): Quantities.seconds(text)
                    default: nil
                    }
                guard let seconds, range.contains(seconds) else {
                    throw mistake(
                        given, "a duration from \(least) to \(most)",
                        hint: "Write numbers with s, m, h or d, such as \"30s\" or \"1h30m\".")
                }
                return .seconds(seconds)
            },
            write: { quotedTOML(Quantities.text(seconds: $0.components.seconds)) })
    }
}

extension ValueForm
where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
    /// One of a few words.
    static var choice: ValueForm {
        let words = Value.allCases.map { "`\($0.rawValue)`" }.joined(separator: ", ")
        return ValueForm(
            name: "one of \(words)",
            read: { given, _ throws(ValueMistake) in
                let value: Value? =
                    switch given {
                    case .text(let text), .words(let text): Value(rawValue: text)
                    default: nil
                    }
                guard let value else { throw mistake(given, "one of \(words)") }
                return value
            },
            write: { quotedTOML($0.rawValue) })
    }
}

extension ValueForm {
    /// A text that a parser takes or refuses.
    static func parsed(
        _ name: String, wanted: String, hint: String? = nil,
        _ parse: @escaping @Sendable (String) -> Value?,
        _ text: @escaping @Sendable (Value) -> String
    ) -> ValueForm {
        ValueForm(
            name: name,
            read: { given, _ throws(ValueMistake) in
                let value: Value? =
                    switch given {
                    case .text(let text), .words(let text): parse(text)
                    default: nil
                    }
                guard let value else { throw mistake(given, wanted, hint: hint) }
                return value
            },
            write: { quotedTOML(text($0)) })
    }
}
