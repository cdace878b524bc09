internal import Hummingbird
internal import NIOCore

/// What is known of a request while it is answered.
struct APIContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// Who asks, once that is proved.
    var token: APIToken?
    /// The request's connection.
    let channel: any Channel

    init(source: Source) {
        coreContext = .init(source: source)
        channel = source.channel
    }

    /// The most bytes of a body that is read whole.
    static let mostBodyBytes = 1 << 20

    /// What the request's connection runs on.
    var loop: any EventLoop { channel.eventLoop }

    /// A part of the path that a route names, without its percent-encoding (RFC 3986, 2.1).
    func part(_ name: String) throws -> String {
        guard let text = parameters.get(name), let part = PercentEncoding.decode(text),
            !part.contains("\0")
        else { throw Problem(.badRequest, "The path has no `\(name)` that can be read.") }
        return part
    }

    /// For the log of what is changed: the name of the token.
    var actor: String { token?.name ?? "nobody" }
}
