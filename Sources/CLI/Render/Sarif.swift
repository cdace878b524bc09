import PipelineIR

/// Diagnostics as SARIF 2.1.0 (OASIS), for code scanning.
enum Sarif {
    /// Renders one run. `file` is where a diagnostic without a place is reported.
    static func render(_ diagnostics: [Diagnostic], file: String) -> TextBuffer {
        var json = JSONWriter()
        json.beginObject()
        json.key("$schema")
        json.string("https://json.schemastore.org/sarif-2.1.0.json")
        json.key("runs")
        json.beginArray()
        json.beginObject()
        json.key("columnKind")
        json.string("unicodeCodePoints")
        json.key("results")
        json.beginArray()
        let codes = Array(Set(diagnostics.map(\.code))).sorted()
        for diagnostic in diagnostics { put(diagnostic, codes, file, &json) }
        json.endArray()
        json.key("tool")
        putTool(codes, &json)
        json.endObject()
        json.endArray()
        json.key("version")
        json.string("2.1.0")
        json.endObject()
        var buffer = TextBuffer(capacity: json.bytes.count + 1)
        buffer.put(bytes: json.bytes)
        buffer.put(byte: 0x0a)
        return buffer
    }

    private static func putTool(_ codes: [String], _ json: inout JSONWriter) {
        json.beginObject()
        json.key("driver")
        json.beginObject()
        json.key("name")
        json.string("danube")
        json.key("rules")
        json.beginArray()
        for code in codes {
            json.beginObject()
            json.key("id")
            json.string(code)
            if let rule = DiagnosticCodes.meaning(code) {
                json.key("shortDescription")
                text(rule, &json)
            }
            json.endObject()
        }
        json.endArray()
        json.key("semanticVersion")
        json.string(Danube.version)
        json.endObject()
        json.endObject()
    }

    private static func put(
        _ diagnostic: Diagnostic, _ codes: [String], _ file: String, _ json: inout JSONWriter
    ) {
        json.beginObject()
        json.key("level")
        json.string(diagnostic.level.rawValue)
        json.key("locations")
        json.beginArray()
        put(diagnostic.place ?? Diagnostic.Place(file: file, line: 1), nil, &json)
        json.endArray()
        json.key("message")
        let end = diagnostic.message.hasSuffix(".") ? "" : "."
        text(diagnostic.message + (diagnostic.hint.map { "\(end) Hint: \($0)" } ?? ""), &json)
        if !diagnostic.callers.isEmpty {
            json.key("relatedLocations")
            json.beginArray()
            for place in diagnostic.callers { put(place, "called from here", &json) }
            json.endArray()
        }
        json.key("ruleId")
        json.string(diagnostic.code)
        json.key("ruleIndex")
        json.integer(codes.firstIndex(of: diagnostic.code) ?? 0)
        json.endObject()
    }

    private static func put(
        _ place: Diagnostic.Place, _ message: String?, _ json: inout JSONWriter
    ) {
        json.beginObject()
        if let message {
            json.key("message")
            text(message, &json)
        }
        json.key("physicalLocation")
        json.beginObject()
        json.key("artifactLocation")
        json.beginObject()
        json.key("uri")
        json.string(uri(place.file))
        json.endObject()
        json.key("region")
        json.beginObject()
        let line = max(1, place.line)
        let endLine = max(line, place.endLine)
        if place.column > 0, place.endColumn > 0, endLine > line || place.endColumn > place.column {
            json.key("endColumn")
            json.integer(endLine == line ? column(place.endColumn, place) : Int(place.endColumn))
        }
        json.key("endLine")
        json.integer(endLine)
        if place.column > 0 {
            json.key("startColumn")
            json.integer(column(place.column, place))
        }
        json.key("startLine")
        json.integer(line)
        json.endObject()
        json.endObject()
        json.endObject()
    }

    /// A column in code points from one in UTF-8 bytes, where the line is known.
    private static func column(_ bytes: Int32, _ place: Diagnostic.Place) -> Int {
        guard let text = place.text else { return Int(bytes) }
        var offset = 1
        var column = 1
        for scalar in text.unicodeScalars {
            if offset >= bytes { return column }
            offset += UTF8.width(scalar)
            column += 1
        }
        return column
    }

    /// A relative reference (RFC 3986) for a path.
    static func uri(_ path: String) -> String {
        var result = ""
        for byte in path.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x2f, 0x5f, 0x7e:
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default: result += "%" + DisplayText.hex(UInt32(byte), digits: 2).uppercased()
            }
        }
        return result
    }

    private static func text(_ text: String, _ json: inout JSONWriter) {
        json.beginObject()
        json.key("text")
        json.string(text)
        json.endObject()
    }
}
