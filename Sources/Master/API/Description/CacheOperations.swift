/// Descriptions of the routes of the cache for others.
extension APIOperation {
    private static let tag = "cache"

    static let getContent = content("getContent")
    static let putContent = putting("putContent")
    static let getBazelContent = content("getBazelContent")
    static let putBazelContent = putting("putBazelContent")

    static let getBazelResult = APIOperation(
        id: "getBazelResult", tag: tag, summary: "Gives what was said of an action.",
        answers: [Answer(200, "It, as it was put.", .bytes)], problems: [404])

    static let putBazelResult = APIOperation(
        id: "putBazelResult", tag: tag, summary: "Keeps what is said of an action.",
        body: .bytes, answers: [Answer(204, "It is on the disk.")],
        problems: [413, 507])

    private static func content(_ id: String) -> APIOperation {
        APIOperation(
            id: id, tag: tag, summary: "Gives the content of a digest.",
            answers: [Answer(200, "It, checked.", .bytes)], problems: [404])
    }

    private static func putting(_ id: String) -> APIOperation {
        APIOperation(
            id: id, tag: tag, summary: "Keeps a content under its digest.",
            body: .bytes, answers: [Answer(204, "It is there.")],
            problems: [413, 422, 507])
    }
}
