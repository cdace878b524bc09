/// Descriptions of the routes of jobs, their logs and their events.
extension APIOperation {
    private static let tag = "jobs"
    private static let jobAnswer = Content.json("Job")

    private static let traceparent = Parameter(
        "traceparent",
        "The trace that the job belongs to (W3C Trace Context); ignored where it is none.", .anyText
    )

    static let submitJob = APIOperation(
        id: "submitJob", tag: tag,
        summary: "Asks for a job, which is on the disk when this is answered.",
        headers: [
            Parameter(
                "Idempotency-Key", "Asking again with the same key gives the same job.",
                .matching("^[!-~]{1,200}$")), traceparent,
        ],
        body: .json("JobOrder"), needsBody: true,
        answers: [
            Answer(201, "The job was accepted.", jobAnswer),
            Answer(200, "The job that was accepted under this key before.", jobAnswer),
        ], problems: [409, 413, 422, 429, 507])

    static let listJobs = APIOperation(
        id: "listJobs", tag: tag, summary: "Lists jobs, latest first, a page at a time.",
        query: [
            Parameter("pipeline", "Those of a pipeline.", .text),
            Parameter("team", "Those of a team.", .text),
            Parameter(
                "state", "Those in one of these states, divided by commas.",
                .matching(
                    "^(\(APIComponents.states.joined(separator: "|")))"
                        + "(,(\(APIComponents.states.joined(separator: "|"))))*$")),
            Parameter("ref", "Those of a branch or tag.", .text),
            Parameter("revision", "Those of a commit.", .text),
            Parameter("trigger", "Those that began like this.", .text),
            Parameter(
                "limit", "The most jobs of a page.",
                .integer(1...Int64(JobListing.mostJobs))),
            Parameter(
                "cursor", "`next` of the page before.", .matching("^[0-9]{1,18}\\.[0-9]{1,18}$")),
        ],
        answers: [Answer(200, "A page.", .json("Jobs"))])

    static let getJob = APIOperation(
        id: "getJob", tag: tag,
        summary: "Tells of a job, of which a beginning of the name is enough.",
        answers: [Answer(200, "The job.", jobAnswer)], problems: [404, 409, 410])

    static let listSteps = APIOperation(
        id: "listSteps", tag: tag, summary: "Lists the steps of a job.",
        answers: [Answer(200, "Its steps, in the order of the plan.", .json("Steps"))],
        problems: [404, 409, 410])

    static let getStep = APIOperation(
        id: "getStep", tag: tag,
        summary:
            "Tells of a step, which is named by its id, name or number, and of all tries at it.",
        answers: [Answer(200, "The step.", .json("StepWithTries"))], problems: [404, 409])

    static let getPlan = APIOperation(
        id: "getPlan", tag: tag, summary: "Gives the plan of a job, which never changes.",
        headers: [
            Parameter("If-None-Match", "Tags of what is known.", .anyText)
        ],
        answers: [
            Answer(200, "The plan in canonical JSON.", .json("Plan")),
            Answer(304, "It is known already."),
        ], problems: [404, 409, 410])

    static let cancelJob = APIOperation(
        id: "cancelJob", tag: tag, summary: "Has a job end.",
        answers: [Answer(202, "The job, which ends soon.", jobAnswer)], problems: [404, 409, 410])

    static let rerunJob = APIOperation(
        id: "rerunJob", tag: tag,
        summary: "Runs a job again as it was asked for, or what failed of it.",
        headers: [traceparent], body: .json("RerunOrder"),
        answers: [Answer(201, "The new job.", jobAnswer)],
        problems: [404, 409, 410, 413, 422, 429, 507])

    private static let step = Parameter(
        "step", "What one step printed: its name, id or number.", .text)
    private static let flag = APISchema.words(["0", "1", "true", "false"])

    static let getLogs = APIOperation(
        id: "getLogs", tag: tag, summary: "Gives what a job printed.",
        query: [
            step, Parameter("follow", "Until the job ends.", flag),
            Parameter("timestamps", "With the time at which each line began.", flag),
        ],
        answers: [Answer(200, "What it printed.", .plain)], problems: [404, 409, 410])

    static let streamLogs = APIOperation(
        id: "streamLogs", tag: tag,
        summary: "Gives what a job prints as Server-Sent Events, until it ends.",
        query: [step, Parameter("follow", "Until the job ends; 0 for what is there now.", flag)],
        headers: [lastEvent],
        answers: [
            Answer(
                200,
                "`data` is an object with `step`, `stream`, `time` and `text`; the last event is "
                    + "`end`, whose `data` is the job.", .events)
        ], problems: [404, 409, 410])

    private static let lastEvent = Parameter(
        "Last-Event-ID", "The `id` of the last event that was seen.",
        .matching("^[0-9]{1,18}$"))

    static let streamEvents = APIOperation(
        id: "streamEvents", tag: tag,
        summary: "Tells what becomes of jobs as Server-Sent Events, without an end.",
        query: [
            Parameter("job", "Of one job only.", .jobID),
            Parameter("after", "Those after a number; else those that are new.", .count),
        ],
        headers: [lastEvent],
        answers: [
            Answer(
                200, "`data` is an object with `sequence`, `job`, `at`, `kind` and `body`.",
                .events)
        ])
}
