/// What a route does, takes and answers, for the description of the API.
struct APIOperation: Sendable, Equatable {
    /// A part of the query, or a header, that may be given.
    struct Parameter: Sendable, Equatable {
        let name: String
        let text: String
        let schema: APISchema

        init(_ name: String, _ text: String, _ schema: APISchema) {
            self.name = name
            self.text = text
            self.schema = schema
        }
    }

    /// Content of a request or an answer.
    struct Content: Sendable, Equatable {
        let type: String
        let schema: APISchema

        /// JSON of a form.
        static func json(_ schema: APISchema) -> Content {
            Content(type: "application/json", schema: schema)
        }

        /// JSON of a form that has a name.
        static func json(_ component: String) -> Content { .json(.component(component)) }

        static let bytes = Content(type: "application/octet-stream", schema: .bytes)
        static let events = Content(type: "text/event-stream", schema: .object)
        static let plain = Content(type: "text/plain", schema: .anyText)
    }

    /// What is answered when it is done.
    struct Answer: Sendable, Equatable {
        let status: Int
        let text: String
        var content: [Content] = []

        init(_ status: Int, _ text: String, _ content: Content...) {
            self.status = status
            self.text = text
            self.content = content
        }
    }

    /// Its name in programs that are made from the description.
    let id: String
    /// What part of the master it belongs to.
    let tag: String
    /// One sentence.
    let summary: String
    var query: [Parameter] = []
    var headers: [Parameter] = []
    var body: Content?
    var needsBody = false
    let answers: [Answer]
    /// Statuses of problems, beside those that every route has.
    var problems: [Int] = []
}
