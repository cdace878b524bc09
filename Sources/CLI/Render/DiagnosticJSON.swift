import PipelineIR

/// Diagnostics as JSON; the schema is printed by `danube schema diagnostics`.
enum DiagnosticJSON {
    /// Renders an array, one object for each.
    static func render(_ diagnostics: [Diagnostic]) -> TextBuffer {
        var json = JSONWriter()
        json.beginArray()
        for diagnostic in diagnostics {
            json.beginObject()
            json.key("code")
            json.string(diagnostic.code)
            if let hint = diagnostic.hint {
                json.key("hint")
                json.string(hint)
            }
            json.key("level")
            json.string(diagnostic.level.rawValue)
            json.key("message")
            json.string(diagnostic.message)
            if let place = diagnostic.place {
                json.key("place")
                put(place, &json)
            }
            if !diagnostic.stack.isEmpty {
                json.key("stack")
                json.beginArray()
                for place in diagnostic.stack { put(place, &json) }
                json.endArray()
            }
            json.endObject()
        }
        json.endArray()
        var buffer = TextBuffer()
        buffer.put(bytes: json.bytes)
        buffer.put(byte: 0x0a)
        return buffer
    }

    private static func put(_ place: Diagnostic.Place, _ json: inout JSONWriter) {
        json.beginObject()
        let numbers: [(StaticString, Int32)] = [
            ("column", place.column), ("end_column", place.endColumn), ("end_line", place.endLine),
        ]
        for (key, number) in numbers where number > 0 {
            json.key(key)
            json.integer(number)
        }
        json.key("file")
        json.string(place.file)
        json.key("line")
        json.integer(place.line)
        if let text = place.text {
            json.key("text")
            json.string(text)
        }
        json.endObject()
    }
}
