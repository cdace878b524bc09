internal import PipelineIR

/// Writes `ExportTraceServiceRequest` as JSON.
enum TraceBody {
    /// A request with some spans of the master.
    static func bytes(_ spans: some Collection<Span>) -> [UInt8] {
        var json = JSONWriter(capacity: spans.count * 1024)
        json.beginObject()
        json.key("resourceSpans")
        json.beginArray()
        json.beginObject()
        json.key("resource")
        json.beginObject()
        Span.write(
            [
                .init(name: "service.name", value: .text("danube")),
                .init(name: "service.version", value: .text(Release.version)),
            ], to: &json)
        json.endObject()
        json.key("scopeSpans")
        json.beginArray()
        json.beginObject()
        json.key("scope")
        json.beginObject()
        json.field("name", "danube.master")
        json.field("version", Release.version)
        json.endObject()
        json.key("spans")
        json.beginArray()
        for span in spans { span.write(to: &json) }
        json.endArray()
        json.endObject()
        json.endArray()
        json.endObject()
        json.endArray()
        json.endObject()
        return json.bytes
    }
}
