internal import Hummingbird

/// What is known of a request while it is answered.
struct APIContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// Who asks, once that is proved.
    var token: APIToken?

    init(source: Source) { coreContext = .init(source: source) }

    /// The most bytes of a body that is read whole.
    static let mostBodyBytes = 1 << 20

    /// For the log of what is changed: the name of the token.
    var actor: String { token?.name ?? "nobody" }
}
