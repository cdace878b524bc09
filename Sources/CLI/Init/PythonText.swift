/// Pieces of Python source.
enum PythonText {
    /// A string literal in double quotes, printable ASCII or letters of any script.
    static func string(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": result += "\\" + String(Character(scalar))
            case "\n": result += "\\n"
            default:
                if scalar.value > 0xffff, DisplayText.escape(scalar) != nil {
                    result += "\\U" + DisplayText.hex(scalar.value, digits: 8)
                } else if DisplayText.escape(scalar) != nil || scalar.value == 0x7f {
                    result += "\\u" + DisplayText.hex(scalar.value, digits: 4)
                } else {
                    result.unicodeScalars.append(scalar)
                }
            }
        }
        return result + "\""
    }

    /// A list of strings.
    static func list(_ texts: [String]) -> String {
        "[" + texts.map(string).joined(separator: ", ") + "]"
    }

    /// Lower-case letters, digits and dashes; never empty.
    static func slug(_ text: String) -> String {
        var result = ""
        for scalar in text.lowercased().unicodeScalars {
            if scalar.isASCII, scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) {
                result.unicodeScalars.append(scalar)
            } else if !result.isEmpty, result.last != "-" {
                result += "-"
            }
        }
        while result.last == "-" { result.removeLast() }
        return result.isEmpty ? "app" : result
    }
}
