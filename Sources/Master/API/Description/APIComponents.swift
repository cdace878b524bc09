/// The forms of bodies and answers that have a name.
enum APIComponents {
    /// All of them, by name.
    static let all: KeyValuePairs<String, APISchema> = [
        "Problem": problem, "Job": job, "Jobs": jobs, "JobOrder": jobOrder, "Step": step,
        "Steps": steps, "StepWithTries": stepWithTries, "Plan": .object, "Secret": secret,
        "Secrets": secrets, "SecretChange": secretChange, "Artifacts": artifacts, "Token": token,
        "Tokens": tokens,
        "NewToken": newToken, "TokenOrder": tokenOrder, "Status": status, "Readiness": readiness,
        "Whoami": whoami, "Health": health, "DrainOrder": drainOrder, "Draining": draining,
        "RerunOrder": rerunOrder, "Nothing": .object([:]), "Pipeline": pipeline,
        "Pipelines": pipelines, "PlanOrder": planOrder, "PlanAnswer": planAnswer,
    ]

    static let states = JobState.allCases.map(\.rawValue)

    private static let problem = APISchema(
        json: """
            {"type":"object","required":["type","title","status","detail"],\
            "properties":{"type":{"type":"string"},"title":{"type":"string"},\
            "status":{"type":"integer"},"detail":{"type":"string"},"hint":{"type":"string"},\
            "diagnostics":{"type":"string"}}}
            """)

    // MARK: Jobs

    private static let job = APISchema.object([
        "id": .jobID, "number": .count, "pipeline": .filledText, "team": .text.orNull,
        "repository": .filledText, "ref": .text.orNull, "revision": .text.orNull,
        "file": .filledText, "parameters": .object, "trigger": .filledText,
        "state": .words(states), "reason": .text.orNull,
        "priority": .integer(JobRequest.priorities), "created": .time, "started": .time.orNull,
        "ended": .time.orNull, "duration_ms": .count.orNull,
        "steps": .object(["total": .count, "done": .count, "failed": .count]),
        "plan": .digest.orNull, "rerun_of": .jobID.orNull,
        "rerun_mode": APISchema.words(["all", "failed"]).orNull, "requested_by": .text.orNull,
    ])

    private static let jobs = APISchema.object([
        "jobs": .array(of: .component("Job")), "next": .text.orNull,
    ])

    private static let jobOrder = APISchema.object(
        ["repository": .filledText, "pipeline": .filledText],
        optional: [
            "revision": ref.orNull, "ref": ref.orNull, "branch": ref.orNull,
            "file": file.orNull,
            "parameters": .object.orNull, "event": .filledText.orNull,
            "priority": APISchema.integer(JobRequest.priorities).orNull, "team": .text.orNull,
            "concurrency": concurrency.orNull,
            "max_duration_seconds": APISchema.integer(1...JobRequest.mostSeconds).orNull,
        ])

    private static let file = APISchema.matching("^[^/\\u0000]+(/[^/\\u0000]+)*$")

    /// A full id of a commit, or the name of a ref as `git check-ref-format` has it.
    private static let ref = APISchema.matching(
        "^[^\\u0000-\\u0020~^:?*\\[\\\\\\u007f+-]"
            + "[^\\u0000-\\u0020~^:?*\\[\\\\\\u007f]*$")

    private static let concurrency = APISchema.object(
        ["group": .filledText],
        optional: ["rule": .matching("^(replace|serialize|queue\\([0-9]{1,9}\\))$")])

    private static let planOrder = APISchema.object(
        ["repository": .filledText],
        optional: [
            "pipeline": APISchema.text.orNull, "revision": ref.orNull, "ref": ref.orNull,
            "branch": ref.orNull, "file": file.orNull, "parameters": .object.orNull,
            "event": APISchema.words(PlanRoutes.events).orNull,
        ])

    private static let planAnswer = APISchema.object([
        "revision": .filledText, "diagnostics": .text, "plan": .component("Plan"),
    ])

    private static let pipeline = APISchema.object([
        "name": .filledText, "paused": .bool, "jobs": .map(of: .count), "last": .component("Job"),
    ])

    private static let pipelines = APISchema.object([
        "pipelines": .array(of: .component("Pipeline")), "next": .text.orNull,
    ])

    private static let rerunOrder = APISchema.object(
        [:], optional: ["failed": APISchema.bool.orNull])

    private static let step = APISchema.object([
        "index": .count, "id": .filledText, "name": .text,
        "state": .words(JobStep.State.allCases.map(\.rawValue)), "attempts": .count,
        "exit_code": APISchema(json: "{\"type\":\"integer\"}").orNull, "reason": .text.orNull,
        "started": .time.orNull, "ended": .time.orNull, "duration_ms": .count.orNull,
        "cached_from": .jobID.orNull,
    ])

    private static let stepWithTries = APISchema.object([
        "step": .component("Step"),
        "tries": .array(
            of: .object([
                "attempt": .count,
                "state": .words(StepAttempt.State.allCases.map(\.rawValue)),
                "exit_code": APISchema(json: "{\"type\":\"integer\"}").orNull,
                "reason": .text.orNull, "started": .time, "ended": .time.orNull,
            ])),
    ])

    private static let steps = APISchema.object(["steps": .array(of: .component("Step"))])

    // MARK: Secrets and artifacts

    private static let secret = APISchema.object([
        "scope": .filledText, "name": .filledText, "version": .count,
        "branches": .array(of: .text), "events": .array(of: .text), "created": .time,
        "changed": .time, "changed_by": .text.orNull,
    ])

    private static let secrets = APISchema.object(["secrets": .array(of: .component("Secret"))])

    private static let secretChange = APISchema.object(
        [:],
        optional: [
            "value": APISchema.filledText.orNull,
            "branches": APISchema.array(of: .matching("^[\\u0021-\\u007e]{1,256}$"), most: 32)
                .orNull,
            "events": APISchema.array(of: .matching("^[A-Za-z0-9_-]{1,64}$"), most: 32).orNull,
        ])

    private static let artifacts = APISchema.object([
        "artifacts": .array(
            of: .object([
                "name": .filledText, "size": .count, "digest": .digest, "folder": .bool,
                "removed": APISchema.time.orNull,
            ]))
    ])

    // MARK: The master

    private static let scopes = APISchema.words(TokenScope.allCases.map(\.rawValue))

    private static let tokenMembers: KeyValuePairs<String, APISchema> = [
        "id": .count, "name": .filledText, "scope": scopes, "created": .time,
        "expires": .time.orNull, "used": .time.orNull, "revoked": .time.orNull,
    ]

    private static let token = APISchema.object(tokenMembers)
    private static let tokens = APISchema.object(["tokens": .array(of: .component("Token"))])
    private static let newToken = APISchema.object([
        "id": .count, "name": .filledText, "scope": scopes, "created": .time,
        "expires": .time.orNull, "used": .time.orNull, "revoked": .time.orNull,
        "token": .matching("^dnb_[a-z2-7]{52}$"),
    ])

    private static let tokenOrder = APISchema.object(
        ["name": .filledText, "scope": scopes],
        optional: ["expires_seconds": APISchema.integer(1...SystemRoutes.mostTokenSeconds).orNull])

    private static let status = APISchema.object([
        "version": .filledText, "started": .time, "ready": .bool, "draining": .bool,
        "jobs": .map(of: .count), "waiting_writes": .count,
    ])

    private static let readiness = APISchema.object([
        "ready": .bool, "parts": .map(of: .text),
    ])

    private static let whoami = APISchema.object([
        "name": .text.orNull, "scopes": .array(of: scopes), "expires": .time.orNull,
    ])

    private static let health = APISchema.object(["status": .words(["ok"])])

    private static let drainOrder = APISchema.object(
        [:],
        optional: [
            "timeout_seconds": APISchema.integer(0...86_400).orNull, "force": APISchema.bool.orNull,
        ])

    private static let draining = APISchema.object(["draining": .bool])
}
