internal import PipelineIR

/// The description of the API, in the form of OpenAPI 3.1, made from its routes.
struct OpenAPIDocument {
    let version: String
    let routes: [APIRoutes.Route]

    private static let path: [String: APISchema] = [
        "id": .matching("^[0-9a-hjkmnp-tv-z]{1,9}$"), "name": .filledText,
        "scope": .matching("^(global|team:[!-~]{1,200}|pipeline:[!-~]{1,200})$"),
        "token": .integer(1...Int64.max), "digest": .hexDigest,
    ]

    /// The document.
    func encoded() -> [UInt8] {
        var json = JSONWriter(capacity: 64 << 10)
        json.beginObject()
        json.member("openapi", "3.1.0")
        json.key("info")
        json.raw(
            """
            {"title":"Danube","version":\(APISchema.quoted(version)),\
            "summary":"The interface of a Danube master."}
            """.utf8)
        json.key("paths")
        json.beginObject()
        for path in paths {
            json.key(path)
            json.beginObject()
            for route in routes where route.path == path {
                json.key(route.method.lowercased())
                write(route, to: &json)
            }
            json.endObject()
        }
        json.endObject()
        json.key("components")
        json.beginObject()
        json.key("securitySchemes")
        json.raw(#"{"token":{"type":"http","scheme":"bearer"}}"#.utf8)
        json.key("schemas")
        json.beginObject()
        for (name, schema) in APIComponents.all {
            json.key(name)
            json.raw(schema.json.utf8)
        }
        json.endObject()
        json.endObject()
        json.endObject()
        return json.bytes
    }

    private var paths: [String] {
        var seen: Set<String> = []
        return routes.map(\.path).filter { seen.insert($0).inserted }
    }

    private func write(_ route: APIRoutes.Route, to json: inout JSONWriter) {
        let operation = route.operation
        json.beginObject()
        json.member("operationId", operation.id)
        json.key("tags")
        json.beginArray()
        json.string(operation.tag)
        json.endArray()
        json.member("summary", operation.summary)
        json.member("x-danube-level", route.level?.rawValue)
        json.key("security")
        json.raw((route.level == nil ? "[]" : "[{\"token\":[]}]").utf8)
        json.key("parameters")
        json.beginArray()
        for part in route.parts {
            write(
                APIOperation.Parameter(part, "A part of the path.", Self.path[part] ?? .filledText),
                in: "path", to: &json)
        }
        for parameter in operation.query { write(parameter, in: "query", to: &json) }
        for parameter in operation.headers { write(parameter, in: "header", to: &json) }
        json.endArray()
        if let body = operation.body {
            json.key("requestBody")
            json.beginObject()
            json.key("required")
            json.bool(operation.needsBody)
            write([body], to: &json)
            json.endObject()
        }
        json.key("responses")
        json.beginObject()
        for answer in operation.answers { write(answer, to: &json) }
        let answered = Set(operation.answers.map(\.status))
        for status in Set(problems(of: route)).subtracting(answered).sorted() {
            write(
                APIOperation.Answer(
                    status, "It is not done, and why.",
                    .init(type: "application/problem+json", schema: .component("Problem"))),
                to: &json)
        }
        json.endObject()
        json.endObject()
    }

    /// The statuses of problems that a route may answer with.
    private func problems(of route: APIRoutes.Route) -> [Int] {
        route.operation.problems + [400, 500, 503] + (route.level == nil ? [] : [401, 403])
    }

    private func write(
        _ parameter: APIOperation.Parameter, in place: String, to json: inout JSONWriter
    ) {
        json.beginObject()
        json.member("name", parameter.name)
        json.member("in", place)
        json.member("description", parameter.text)
        json.key("required")
        json.bool(place == "path")
        json.key("schema")
        json.raw(parameter.schema.json.utf8)
        json.endObject()
    }

    private func write(_ answer: APIOperation.Answer, to json: inout JSONWriter) {
        json.key(String(answer.status))
        json.beginObject()
        json.member("description", answer.text)
        if !answer.content.isEmpty { write(answer.content, to: &json) }
        json.endObject()
    }

    private func write(_ content: [APIOperation.Content], to json: inout JSONWriter) {
        json.key("content")
        json.beginObject()
        for one in content {
            json.key(one.type)
            json.beginObject()
            json.key("schema")
            json.raw(one.schema.json.utf8)
            json.endObject()
        }
        json.endObject()
    }
}
