/// `lower` and `upper` of Python 3.11's `str`, which knows Unicode 14.
enum PythonCase {
    static func upper(_ text: String) -> String {
        var found = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            append(scalar.properties.uppercaseMapping, of: scalar, to: &found)
        }
        return String(found)
    }

    static func lower(_ text: String) -> String {
        let scalars = Array(text.unicodeScalars)
        var found = String.UnicodeScalarView()
        for (index, scalar) in scalars.enumerated() {
            if scalar == "\u{3A3}" {
                found.append(isFinalSigma(scalars, index) ? "\u{3C2}" : "\u{3C3}")
            } else {
                append(scalar.properties.lowercaseMapping, of: scalar, to: &found)
            }
        }
        return String(found)
    }

    /// A mapping from or to a character that Python does not know leaves the character as it is.
    private static func append(
        _ mapping: String, of scalar: Unicode.Scalar, to found: inout String.UnicodeScalarView
    ) {
        if isKnown(scalar), mapping.unicodeScalars.allSatisfy(isKnown) {
            found.append(contentsOf: mapping.unicodeScalars)
        } else {
            found.append(scalar)
        }
    }

    private static func isKnown(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return true }
        guard let age = scalar.properties.age else { return false }
        return age.major <= 14
    }

    /// A capital sigma that ends a word: after a cased letter and before none, whatever characters
    /// that have no case stand between (Unicode, table 3-17).
    private static func isFinalSigma(_ scalars: [Unicode.Scalar], _ index: Int) -> Bool {
        func isCased(_ scalars: some Sequence<Unicode.Scalar>) -> Bool {
            scalars.first { !(isKnown($0) && $0.properties.isCaseIgnorable) }
                .map { isKnown($0) && $0.properties.isCased } ?? false
        }
        return isCased(scalars[..<index].reversed()) && !isCased(scalars[(index + 1)...])
    }
}
