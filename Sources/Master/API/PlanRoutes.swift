internal import Hummingbird
internal import NIOPosix
internal import PipelineIR

/// The route of plans that are compiled and not run.
struct PlanRoutes: Sendable {
    /// What jobs are run with: repositories that may be built, and their mirrors.
    let setting: JobRunner.Setting
    let compiler: PlanCompiler

    static let events = ["push", "pull_request", "tag", "cron", "manual"]

    /// Adds it.
    func add(to routes: APIRoutes) {
        routes.on(.post, "/api/v1/plans", .write, .compilePlan) { request, _ in
            try await compile(request)
        }
    }

    private func compile(_ request: Request) async throws -> Response {
        let body = try await JSONBody(request, of: JobRequest.planKeys)
        let order = try JobRequest(body, needsPipeline: false).job
        guard Self.events.contains(order.trigger) else {
            throw Problem(
                .unprocessableContent, "There is no event `\(ShownText.line(order.trigger))`.",
                hint: "Events are \(Self.events.joined(separator: ", ")).")
        }
        let wanted = JobSource(request: order)
        let setting = setting
        let address = try await setting.threads.runIfActive {
            try wanted.address(allowed: setting.allowed, owner: setting.owner)
        }
        let source = try await setting.mirrors.commit(of: try wanted.reference(), in: address)
        let (plan, diagnostics) = try await compiler.compile(
            PlanCompiler.Order(
                folder: source.folder, commit: source.commit, file: order.file,
                pipeline: order.pipeline.isEmpty ? nil : order.pipeline, event: order.trigger,
                branch: wanted.branch, parameters: wanted.parameters))
        return JSONAnswer.make { json in
            json.beginObject()
            json.member("revision", source.commit)
            json.member("diagnostics", diagnostics)
            json.key("plan")
            // The compiler ends it with a newline.
            json.raw(plan.prefix { $0 != 0x0a })
            json.endObject()
        }
    }
}
