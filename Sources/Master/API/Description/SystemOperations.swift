/// Descriptions of the routes of the master itself.
extension APIOperation {
    private static let tag = "master"

    static let getHealth = APIOperation(
        id: "getHealth", tag: tag, summary: "Answers while the master runs.",
        answers: [Answer(200, "It runs.", .json("Health"))])

    static let getReadiness = APIOperation(
        id: "getReadiness", tag: tag, summary: "Tells whether the master takes jobs, and why not.",
        answers: [
            Answer(200, "It does.", .json("Readiness")),
            Answer(503, "It does not.", .json("Readiness")),
        ])

    static let getStatus = APIOperation(
        id: "getStatus", tag: tag, summary: "Tells how the master is.",
        answers: [Answer(200, "How it is.", .json("Status"))])

    static let getWhoami = APIOperation(
        id: "getWhoami", tag: tag, summary: "Tells whose token this is and what it allows.",
        answers: [Answer(200, "Whose it is.", .json("Whoami"))])

    static let drain = APIOperation(
        id: "drain", tag: tag,
        summary: "Ends the master after its jobs, or at once; those that go on are taken up later.",
        body: .json("DrainOrder"),
        answers: [Answer(202, "It takes no new jobs.", .json("Draining"))], problems: [413, 422])

    static let listTokens = APIOperation(
        id: "listTokens", tag: tag, summary: "Lists tokens, also those of no use any more.",
        answers: [Answer(200, "All of them.", .json("Tokens"))])

    static let createToken = APIOperation(
        id: "createToken", tag: tag, summary: "Makes a token, whose text is shown this once.",
        body: .json("TokenOrder"), needsBody: true,
        answers: [Answer(201, "The token with its text.", .json("NewToken"))],
        problems: [413, 422])

    static let revokeToken = APIOperation(
        id: "revokeToken", tag: tag, summary: "Ends a token for ever, but not the one that asks.",
        answers: [Answer(204, "It is of no use any more.")], problems: [404, 409])

    static let getMetrics = APIOperation(
        id: "getMetrics", tag: tag,
        summary: "Gives figures in the text format of Prometheus.",
        answers: [Answer(200, "The figures.", .plain)])

    static let getDescription = APIOperation(
        id: "getDescription", tag: tag, summary: "Gives this description.",
        answers: [Answer(200, "OpenAPI 3.1.", .json(.object))])
}
