internal import HTTPTypes
internal import Hummingbird
internal import PipelineIR

internal import enum Executor.CacheError

/// Why a request is not done, as RFC 9457 has it, with the next action.
struct Problem: HTTPResponseError, Equatable {
    let status: HTTPResponse.Status
    /// One sentence.
    let detail: String
    var hint: String?
    /// Seconds after which it may be asked again.
    var retryAfter: Int?
    /// What the compiler says of a danubefile.
    var diagnostics: String?
    /// The methods that there are instead.
    var allowed: String?

    init(
        _ status: HTTPResponse.Status, _ detail: String, hint: String? = nil,
        retryAfter: Int? = nil, allowed: String? = nil
    ) {
        self.status = status
        self.detail = detail
        self.hint = hint
        self.retryAfter = retryAfter
        self.allowed = allowed
    }

    /// What an error means to whoever asked. Of one that is nobody's business no detail is told.
    init(of error: any Error) {
        switch error {
        case let problem as Problem: self = problem
        case let error as MasterDatabaseError: self.init(error)
        case let error as SecretError: self.init(error)
        case let refusal as Dispatcher.Refusal: self.init(refusal)
        case let full as DiskReserve.Full:
            self.init(Self.noSpace, "\(full)", hint: full.hint)
        case let error as CacheError: self.init(error)
        case let problem as JobProblem:
            self.init(.unprocessableContent, "\(problem)")
        case let problem as SourceMirror.Problem: self.init(problem)
        case let problem as PlanCompiler.Problem: self.init(problem)
        case let refusal as AnswerRoom.Refusal: self.init(refusal)
        case let error as any HTTPResponseError:
            self.init(error.status, error.status.reasonPhrase)
        default:
            self.init(
                .internalServerError, "The master failed at this.",
                hint: "Its log says more under the request's id.")
        }
    }

    private init(_ error: MasterDatabaseError) {
        let hint = error.hint
        switch error {
        case .busy: self.init(.serviceUnavailable, "\(error)", hint: hint, retryAfter: 1)
        case .noSpace: self.init(Self.noSpace, "\(error)", hint: hint)
        case .closed: self.init(.serviceUnavailable, "\(error)", hint: hint, retryAfter: 5)
        case .invalid: self.init(.unprocessableContent, "\(error)", hint: hint)
        case .missing: self.init(.notFound, "\(error)", hint: hint)
        default: self.init(.internalServerError, "\(error)", hint: hint)
        }
    }

    /// 507, of RFC 4918.
    static let noSpace = HTTPResponse.Status(code: 507, reasonPhrase: "Insufficient Storage")

    private init(_ error: SecretError) {
        let status: HTTPResponse.Status =
            switch error {
            case .badName, .badScope, .badRestriction, .badSize: .unprocessableContent
            case .missing: .notFound
            case .denied: .forbidden
            case .rotationRuns: .conflict
            case .altered, .unknownKey, .keyFileMode, .keyFileOwner, .keyFileFormat,
                .keyFileSystem:
                .internalServerError
            }
        self.init(status, error.message, hint: error.hint)
    }

    private init(_ error: CacheError) {
        if case .noSpace = error {
            self.init(Self.noSpace, "\(error)")
        } else {
            self.init(.internalServerError, "The shared cache failed at this.")
        }
    }

    private init(_ problem: SourceMirror.Problem) {
        let status: HTTPResponse.Status =
            switch problem {
            case .noRef, .noCommit, .host(.notPublic): .unprocessableContent
            case .git, .host(.unknown): .badGateway
            case .tooLong: .gatewayTimeout
            case .system: .internalServerError
            case .stopped: .serviceUnavailable
            }
        self.init(status, "\(problem)", hint: "Check the repository, its ref and its commit.")
    }

    private init(_ problem: PlanCompiler.Problem) {
        switch problem {
        case .diagnostics(let text):
            self.init(.unprocessableContent, "The danubefile has errors.")
            diagnostics = text
        case .failed(let reason):
            self.init(
                .internalServerError, "The compiler failed.",
                hint: "It said: \(ShownText.line(reason))")
        case .tooLong(let seconds):
            self.init(.gatewayTimeout, "The plan was not compiled within \(seconds) s.")
        case .tooLarge(let bytes):
            self.init(
                .unprocessableContent,
                "The plan has more than \(Quantities.text(bytes: Int64(bytes))).",
                hint: "A job can run it all the same.")
        case .tooManyWaiting(let count):
            self.init(
                .serviceUnavailable, "\(count) plans are being compiled already.", retryAfter: 2)
        case .parametersTooLarge(let bytes):
            self.init(
                .unprocessableContent, "The parameters have \(bytes) bytes, which is too many.")
        }
    }

    private init(_ refusal: AnswerRoom.Refusal) {
        let detail =
            switch refusal {
            case .tooManyWaiting(let count): "\(count) large answers are being waited for already."
            case .waitedTooLong: "There was no room in memory for an answer that is so large."
            }
        self.init(
            .serviceUnavailable, detail, hint: "Ask again when others have taken theirs.",
            retryAfter: 5)
    }

    private init(_ refusal: Dispatcher.Refusal) {
        switch refusal {
        case .draining:
            self.init(
                .serviceUnavailable, "\(refusal)", hint: "Ask the next master.", retryAfter: 5)
        case .tooManyPending:
            self.init(
                .tooManyRequests, "\(refusal)", hint: "Ask again when some have run.",
                retryAfter: 30)
        case .groupFull:
            self.init(.conflict, "\(refusal)", hint: "Wait for one of them, or cancel it.")
        }
    }

    func response(from request: Request, context: some RequestContext) -> Response {
        var json = JSONWriter()
        json.beginObject()
        json.key("type")
        json.string("about:blank")
        json.key("title")
        json.string(status.reasonPhrase)
        json.key("status")
        json.integer(status.code)
        json.key("detail")
        json.string(detail)
        if let hint {
            json.key("hint")
            json.string(hint)
        }
        if let diagnostics {
            json.key("diagnostics")
            json.string(diagnostics)
        }
        json.endObject()
        var headers: HTTPFields = [.contentType: "application/problem+json"]
        if let retryAfter { headers[.retryAfter] = "\(retryAfter)" }
        if let allowed { headers[.allow] = allowed }
        if status == .unauthorized { headers[.wwwAuthenticate] = "Bearer" }
        return Response(
            status: status, headers: headers,
            body: .init(byteBuffer: ByteBuffer(bytes: json.bytes)))
    }
}
